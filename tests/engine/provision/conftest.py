"""A fresh lab for each test: it is there in a second, and these tests turn hosts inside out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from clusterlab.machines import open_machines
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from tests.support.labs import namespaces_lab
from tests.support.provision_bench import Bench


@pytest.fixture
def fresh() -> Iterator[Callable[..., Bench]]:
    """Makes a lab with Docker hosts host1 (manager), host2, ...; `roles` replaces the roles of some."""
    ends: list[Callable[[], None]] = []

    def make(docker_hosts: int = 2, roles: dict[str, list[str]] | None = None) -> Bench:
        lab = _with_roles(namespaces_lab(f"provision-{os.getpid()}", "10.74.0.0/24", docker_hosts), roles or {})
        machines = open_machines(lab)
        ends.append(lambda: machines.down(Silent()))
        machines.up(Silent())
        hosts = Hosts(machines.targets())
        ends.append(hosts.close)
        return Bench(lab, hosts, machines.targets(), machines.unsupported())

    yield make
    for end in reversed(ends):
        end()


def _with_roles(lab: Lab, roles: dict[str, list[str]]) -> Lab:
    changed = lab.inventory.model_dump()
    for name, given in roles.items():
        changed["hosts"][name]["roles"] = given
    return Lab(type(lab.inventory).model_validate(changed))

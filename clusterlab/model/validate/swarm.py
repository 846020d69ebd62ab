"""The Swarm: who is in it, and where its networks get their subnets."""

from __future__ import annotations

from collections.abc import Iterator

from ..problems import Problem
from .files import Files

_REMEDY = "Give a Docker host the role swarm_manager."


def problems(files: Files) -> Iterator[Problem]:
    yield from _pools(files)
    if files.inventory.with_role("swarm_manager"):
        return
    for name, host in files.inventory.hosts.items():
        if "swarm_worker" in host.roles:
            path = ("hosts", name, "roles", host.roles.index("swarm_worker"))
            yield files.problem(path, "a swarm_worker has no Swarm to join: no host is swarm_manager", _REMEDY)


def _pools(files: Files) -> Iterator[Problem]:
    subnet = files.inventory.network.subnet
    for index, pool in enumerate(files.inventory.swarm.default_addr_pool):
        if pool.overlaps(subnet):
            path = ("swarm", "default_addr_pool", index)
            yield files.problem(
                path, f"{pool} overlaps the hosts' own network {subnet}", "Choose another, such as 10.64.0.0/16."
            )

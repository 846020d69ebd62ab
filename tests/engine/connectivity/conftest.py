"""The Swarm that all tests of the connectivity test share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import yaml

from clusterlab.machines import open_machines
from tests.support.labs import lab_up, namespaces_lab
from tests.support.nightly_lab import existing_lab
from tests.support.swarm_bench import Bench, seed


@pytest.fixture(scope="package")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    lab = namespaces_lab(f"cluster-{os.getpid()}", "10.75.0.0/24", docker_hosts=3)
    with lab_up(lab) as up:
        folder = tmp_path_factory.mktemp("cluster")
        nightly_lab = existing_lab(lab, open_machines(lab), folder)
        file = folder / "existing.yml"
        inventory = yaml.safe_load(file.read_text())
        for name, host in lab.inventory.hosts.items():
            inventory["hosts"][name]["roles"] = list(host.roles)
        file.write_text(yaml.safe_dump(inventory))
        made = Bench(up, nightly_lab)
        made.run("host1", "docker swarm init --advertise-addr 10.75.0.11 --data-path-addr 10.75.0.11")
        token = made.run("host1", "docker swarm join-token -q worker")
        for name in ("host2", "host3"):
            address = lab.inventory.hosts[name].address
            made.run(name, f"docker swarm join --token {token} --advertise-addr {address} 10.75.0.11:2377")
        seed(made)
        yield made

"""A lab of two engines and their Swarm in namespaces, for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from labs import namespaces_lab
from resource_bench import Bench

from clusterlab.machines import open_machines
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.resources import swarm_actions

SETTLED = "until docker network inspect ingress docker_gwbridge >/dev/null 2>&1; do sleep 0.1; done"


@pytest.fixture(scope="session")
def whole_bench() -> Iterator[Bench]:
    images = {"shell": {"build": "busybox"}, "web": {"build": "nginx"}}
    lab = namespaces_lab(f"resources-{os.getpid()}", "10.72.0.0/24", images=images)
    machines = open_machines(lab)
    try:
        machines.up(Silent())
        with Hosts(machines.targets()) as hosts:
            addresses = {name: str(host.address) for name, host in lab.inventory.hosts.items()}
            swarm_actions.init(hosts["host1"], addresses["host1"], lab.name)
            swarm_actions.join(hosts["host2"], addresses["host2"], "worker", hosts["host1"])
            for name in ("host1", "host2"):  # what the Swarm makes there a moment later is no test's
                hosts[name].run(SETTLED, check=True)
            yield Bench(hosts, lab.inventory, machines.targets())
    finally:
        machines.down(Silent())


@pytest.fixture
def bench(whole_bench: Bench) -> Iterator[Bench]:
    """The lab with nothing on it but images; what a test leaves is removed."""
    yield whole_bench
    whole_bench.emptied()

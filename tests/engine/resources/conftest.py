"""A lab of two engines and their Swarm in namespaces, for all tests of a file in this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.labs import lab_in_swarm, namespaces_lab
from tests.support.resource_bench import Bench

SETTLED = "until docker network inspect ingress docker_gwbridge >/dev/null 2>&1; do sleep 0.1; done"


@pytest.fixture(scope="module")
def whole_bench() -> Iterator[Bench]:
    images = {
        "shell": {"build": "busybox"},
        "web": {"build": "nginx"},
        "stateful": {"build": "busybox", "volumes": ["/data"]},
    }
    with lab_in_swarm(namespaces_lab(f"resources-{os.getpid()}", "10.72.0.0/24", images=images)) as up:
        for name in ("host1", "host2"):  # what the Swarm makes there a moment later is no test's
            up.hosts[name].run(SETTLED, check=True)
        yield Bench(up.hosts, up.lab.inventory, up.machines.targets())


@pytest.fixture
def bench(whole_bench: Bench) -> Iterator[Bench]:
    """The lab with nothing on it but images; what a test leaves is removed."""
    yield whole_bench
    whole_bench.emptied()

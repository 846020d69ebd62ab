"""Without the majority of its managers the Swarm has no leader.

It has one again once their power is back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from clusterlab.faults.errors import Refused
from clusterlab.faults.scene import Scene
from clusterlab.pytest_plugin.bench import Bench
from clusterlab.pytest_plugin.fault_handles import Faults
from clusterlab.pytest_plugin.own_lab import temporary_lab
from tests.support.labs import namespaces_lab

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def clusterlab() -> Iterator[Bench]:
    lab = namespaces_lab(f"majority-{os.getpid()}", "10.79.0.0/24", docker_hosts=3, managers=3)
    with temporary_lab(lab) as bench:
        yield bench


def test_the_majority_of_managers_loses_power(clusterlab: Bench, fault: Faults) -> None:
    scene = Scene(clusterlab.lab, clusterlab.hosts)
    leader = scene.one("leader")
    assert scene.resolve(["majority"])[0] == leader
    with pytest.raises(Refused, match="take down 2 hosts"):
        fault("power_off", host="majority")
    with fault("power_off", host="majority", blast=2) as broken:
        assert leader in broken.hosts
        assert len(broken.hosts) == 2
        assert "the Swarm has no leader" in broken.seen
    assert "the Swarm has a leader" in broken.seen_gone

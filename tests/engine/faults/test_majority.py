"""Without the majority of its managers the Swarm has no leader.

It has one again once their power is back.
"""

from __future__ import annotations

import os

import pytest

from clusterlab.faults.errors import Refused
from clusterlab.faults.injection import inject, injected
from clusterlab.faults.scene import Scene
from clusterlab.model.faults import parse_fault
from clusterlab.resources import swarm_actions
from tests.support.labs import lab_in_swarm, namespaces_lab

pytestmark = pytest.mark.engine


def test_the_majority_of_managers_loses_power() -> None:
    lab = namespaces_lab(f"majority-{os.getpid()}", "10.79.0.0/24", docker_hosts=3, managers=3)
    with lab_in_swarm(lab) as up:
        manager = up.hosts["host1"]
        manager.run(["docker", "node", "promote", "host2"], check=True)
        swarm_actions.join(swarm_actions.Wanted(up.hosts["host3"], "manager", "10.79.0.13"), lab.name, manager)
        scene = Scene(lab, up.hosts)
        leader = scene.one("leader")
        assert scene.resolve(["majority"])[0] == leader
        with pytest.raises(Refused, match="take down 2 hosts"):
            inject(parse_fault({"power_off": {"host": "majority"}}), scene)
        with injected(parse_fault({"power_off": {"host": "majority", "blast": 2}}), scene) as fault:
            assert leader in fault.hosts
            assert len(fault.hosts) == 2
            assert "the Swarm has no leader" in fault.seen
        assert "the Swarm has a leader" in fault.seen_gone

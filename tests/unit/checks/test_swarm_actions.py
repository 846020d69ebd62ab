"""What actions on services restore."""

from __future__ import annotations

from typing import Any, cast

from clusterlab.checks.swarm_actions import SwarmActions, _Before
from clusterlab.resources.base import LABEL_LAB
from clusterlab.resources.swarm_handle import OwnService


def test_the_tasks_of_a_job_are_not_waited_for_and_it_is_not_run_again() -> None:
    """It has no manager and no places: whatever is asked of these is an error."""
    report = {"ID": "x", "Spec": {"Name": "job", "Mode": {"ReplicatedJob": {}}, "Labels": {LABEL_LAB: "lab"}}}
    actions = SwarmActions(cast(Any, None))
    actions._services["job"] = _Before(OwnService(cast(Any, None), "lab", "job", report), None, 1, 1)
    assert actions.restore() == []

"""How many changes a host bears at the same time, and how near the tasks of a service are to running."""

from __future__ import annotations

from typing import Any, cast

import pytest

from clusterlab.remote import Host
from clusterlab.resources.observed import Observed
from clusterlab.resources.service_converge import progress_of


@pytest.mark.parametrize(("info", "bears"), [({"NCPU": 1}, 2), ({"NCPU": 2}, 4), ({"NCPU": 32}, 4), ({}, 4)])
def test_a_host_with_one_processor_gets_fewer_changes_at_a_time(info: dict[str, Any], bears: int) -> None:
    assert Observed("demo", cast(Host, None), {"info": info}).bears == bears


def task(state: str, desired: str = "running") -> dict[str, Any]:
    return {"DesiredState": desired, "Status": {"State": state}}


def test_tasks_come_nearer_step_by_step() -> None:
    steps = [[], [task("new")], [task("preparing")], [task("starting")], [task("starting"), task("starting")]]
    steps += [[task("running"), task("starting")], [task("running"), task("running")]]
    found = [progress_of(tasks) for tasks in steps]
    assert found == sorted(found)
    assert found[2] < found[3] < found[4] < found[5] < found[6]


def test_a_task_that_fails_again_and_again_comes_no_nearer() -> None:
    furthest = progress_of([task("starting")])
    assert progress_of([task("failed", "shutdown"), task("ready")]) < furthest
    assert progress_of([task("failed", "shutdown"), task("failed", "shutdown"), task("starting")]) == furthest

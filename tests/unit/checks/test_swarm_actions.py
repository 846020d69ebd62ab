"""What actions on services restore."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from clusterlab.checks.swarm_actions import SwarmActions, _Before
from clusterlab.errors import HostError
from clusterlab.resources.base import LABEL_LAB
from clusterlab.resources.swarm_handle import OwnService
from clusterlab.resources.swarm_tasks import surplus


def test_the_tasks_of_a_job_are_not_waited_for_and_it_is_not_run_again() -> None:
    """It has no manager and no places: whatever is asked of these is an error."""
    report = {"ID": "x", "Spec": {"Name": "job", "Mode": {"ReplicatedJob": {}}, "Labels": {LABEL_LAB: "lab"}}}
    actions = SwarmActions(cast(Any, None))
    actions._services["job"] = _Before(OwnService(cast(Any, None), "lab", "job", report), None, 1, 1)
    assert actions.restore() == []


@pytest.mark.parametrize(
    ("before", "drained"),
    [((1, 1), (0, 2)), ((2, 2, 2), (0, 3, 3)), ((1, 1, 1, 1), (0, 0, 2, 2)), ((5, 5, 5), (0, 8, 7)), ((3, 1), (4, 0))],
)
def test_tasks_too_many_on_a_node_go_to_those_that_have_fewest(
    before: tuple[int, ...], drained: tuple[int, ...]
) -> None:
    """As swarmkit takes tasks away where most are, and gives new ones to where fewest are."""
    nodes = list(drained)
    crowd = max(before)
    tasks = [{"NodeID": str(node)} for node, number in enumerate(nodes) for _ in range(number)]
    moved = surplus(tasks, crowd)
    assert 0 < moved < sum(before)
    for _ in range(moved):
        nodes[nodes.index(max(nodes))] -= 1
    for _ in range(moved):
        nodes[nodes.index(min(nodes))] += 1
    assert (sum(nodes), max(nodes)) == (sum(before), crowd)


class _Service:
    """A service of four tasks, all on one node, whose manager does not answer for a moment after it took one away."""

    name = "web"

    def __init__(self) -> None:
        self.report: dict[str, Any] = {"Spec": {"Mode": {"Replicated": {"Replicas": 4}}}}
        self.number, self.silent = 4, 0

    def replicas(self) -> int:
        return self.number

    def scale(self, number: int) -> None:
        self._answer()
        self.number, self.silent = number, 3 if number < 4 else 0

    def tasks(self, inventory: object) -> list[dict[str, str]]:
        self._answer()
        return [{"NodeID": "one"}] * self.number

    def is_updating(self) -> bool:
        return False

    def _answer(self) -> None:
        if self.silent:
            self.silent -= 1
            raise HostError("host1", "the Swarm does not have a leader")


def test_a_service_is_not_left_with_fewer_tasks_when_its_manager_is_silent_meanwhile() -> None:
    service = _Service()
    places = SimpleNamespace(manager="host1", lab=SimpleNamespace(inventory=None))
    actions = SwarmActions(cast(Any, places))
    actions._services["web"] = _Before(cast(Any, service), 4, 4, 2)
    (finding,) = actions.restore()
    assert "does not have a leader" in finding.evidence.found
    assert service.number == 4

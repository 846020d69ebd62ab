"""The drills of playbooks/drills that namespaces can have.

Sound, and on a set-up that lacks the property.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from clusterlab.drills.plan import DrillPlan, all_plans
from clusterlab.drills.run import run_drill
from clusterlab.faults import Scene
from clusterlab.faults.record import recorded
from clusterlab.model.faults import parse_fault
from clusterlab.progress import Silent
from clusterlab.results import Outcome, Result
from tests.support.check_cases import PLAYBOOKS
from tests.support.play_bench import Stand, provisioned

pytestmark = [pytest.mark.engine, pytest.mark.long]
HA = PLAYBOOKS.parent / "inventory" / "ha.yml"
PLAYS = ["drills/leader", "drills/worker", "drills/partition", "drills/drain"]
_PATIENCE = "for again in $(seq 300); do {}; sleep 0.2; done; exit 1"


@pytest.fixture(scope="module")
def ha(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with provisioned(HA, tmp_path_factory.mktemp("drills-ha")) as stand:
        report = stand.apply(PLAYS)
        assert report.ok, (report.failed, report.blocked)
        yield stand


def plan(ha: Stand, play: str, it: str = "", **lasts: float) -> DrillPlan:
    """The drill of a play, with shorter times than on virtual machines."""
    found = next(one for one in all_plans(ha.lab([play])) if one.it in ("", it))
    within = lasts.pop("within", None)
    drill = found.drill.model_copy(update={"steady": 4.0})
    faults = tuple(
        parse_fault({spec.name: {**spec.params.model_dump(by_alias=True, exclude_unset=True), **lasts}})
        for spec in found.faults
    )
    judged = tuple(
        replace(one, expectation=one.expectation.model_copy(update={"within": within}))
        if within and one.expectation.within
        else one
        for one in found.judged
    )
    return replace(found, drill=drill.model_copy(update={"faults": list(faults)}), faults=faults, judged=judged)


def drilled(ha: Stand, chosen: DrillPlan) -> Result:
    result = run_drill(Scene(ha.lab([chosen.play]), ha.hosts, Silent()), chosen).result
    assert recorded(ha.lab([]).name) == []
    return result


def manager(ha: Stand, command: str) -> str:
    return ha.hosts["manager2"].run(command, check=True, timeout=90).stdout.strip()


def holds(result: Result) -> dict[str, bool]:
    return {one.place: one.holds for one in result.evidence}


def found(result: Result) -> Any:
    return [(one.place, one.wanted, one.found) for one in result.evidence]


def running(ha: Stand, service: str) -> str:
    """The host of the only task of a service."""
    return manager(ha, f"docker service ps --filter desired-state=running --format '{{{{.Node}}}}' {service}")


def pinned(ha: Stand, service: str, change: str) -> None:
    manager(ha, f"docker service update --quiet {change} {service}")


def test_another_manager_leads_in_time_and_without_one_nothing_is_decided(ha: Stand) -> None:
    sound = drilled(ha, plan(ha, "drills/leader", lasts=30.0))
    assert sound.outcome is Outcome.PASS, found(sound)
    assert sound.timeline is not None
    manager(ha, "docker node demote manager1 manager3")
    try:
        alone = drilled(ha, plan(ha, "drills/leader", lasts=30.0))
    finally:
        manager(ha, "docker node promote manager1 manager3")
        ready = "docker node ls --format '{{.ManagerStatus}}' | grep -c 'Reachable\\|Leader' | grep -q 3 && exit 0"
        manager(ha, _PATIENCE.format(ready))
    assert alone.outcome is Outcome.FAIL, found(alone)
    assert holds(alone) == {"task anywhere": True, "managers anywhere": False}


def test_a_task_is_started_elsewhere_unless_it_is_bound_to_its_host(ha: Stand) -> None:
    it = running(ha, "drill_one")
    sound = drilled(ha, plan(ha, "drills/worker", it, lasts=50.0, within=42.0))
    assert sound.outcome is Outcome.PASS, found(sound)
    it = running(ha, "drill_one")
    pinned(ha, "drill_one", f"--constraint-add node.hostname=={it}")
    try:
        bound = drilled(ha, plan(ha, "drills/worker", it, lasts=20.0, within=10.0))
    finally:
        pinned(ha, "drill_one", f"--constraint-rm node.hostname=={it}")
    assert bound.outcome is Outcome.FAIL, found(bound)
    assert holds(bound) == {"each anywhere": True, "one anywhere": False}


def test_a_partition_leaves_a_task_twice_unless_it_is_bound_to_its_host(ha: Stand) -> None:
    sound = drilled(ha, plan(ha, "drills/partition", lasts=45.0))
    assert sound.outcome is Outcome.PASS, found(sound)
    it = running(ha, "drill_single")
    pinned(ha, "drill_single", f"--constraint-add node.hostname=={it}")
    try:
        bound = drilled(ha, plan(ha, "drills/partition", lasts=30.0))
    finally:
        pinned(ha, "drill_single", f"--constraint-rm node.hostname=={it}")
    assert bound.outcome is Outcome.FAIL, found(bound)
    assert [one.found.partition(":")[0] for one in bound.evidence if not one.holds] == ["it never failed"]


def test_a_task_on_each_worker_holds_through_a_drain_and_two_on_one_do_not(ha: Stand) -> None:
    sound = drilled(ha, plan(ha, "drills/drain", "host1", lasts=12.0))
    assert sound.outcome is Outcome.PASS, found(sound)
    pinned(ha, "drill_everywhere", "--constraint-add node.hostname==host1")
    try:
        alone = drilled(ha, plan(ha, "drills/drain", "host1", lasts=12.0))
    finally:
        pinned(ha, "drill_everywhere", "--constraint-rm node.hostname==host1")
    assert alone.outcome is Outcome.FAIL, found(alone)
    assert not holds(alone)["everywhere anywhere"]

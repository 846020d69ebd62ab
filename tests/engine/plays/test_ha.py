"""The plays on three managers that run no tasks and two workers, as inventory/ha.yml has them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clusterlab.results import Outcome
from tests.support.check_cases import PLAYBOOKS, told
from tests.support.play_bench import Stand, provisioned

pytestmark = pytest.mark.engine
HA = PLAYBOOKS.parent / "inventory" / "ha.yml"
BACK = "until docker node inspect -f {{.ManagerStatus.Reachability}} manager1 | grep -q reachable; do sleep 0.2; done"
REPORTED = "until docker node ls >/dev/null && ! docker node ls | grep -q Unknown; do sleep 0.2; done"
SHORT = ["networks/overlay", "networks/service", "volumes/local"]


@pytest.fixture(scope="module")
def ha(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with provisioned(HA, tmp_path_factory.mktemp("ha")) as stand:
        yield stand


def test_managers_are_drained_and_tasks_run_on_the_workers(ha: Stand) -> None:
    nodes = {node["Description"]["Hostname"]: node["Spec"] for node in ha.hosts["manager2"].docker.nodes()}
    assert {name: (spec["Role"], spec["Availability"]) for name, spec in nodes.items()} == {
        "manager1": ("manager", "drain"),
        "manager2": ("manager", "drain"),
        "manager3": ("manager", "drain"),
        "host1": ("worker", "active"),
        "host2": ("worker", "active"),
    }


def test_plays_pass_twice_and_the_second_apply_changes_nothing(ha: Stand) -> None:
    _twice(ha, SHORT)


def test_with_the_first_manager_down_statements_about_the_swarm_pass_and_it_is_one_finding(ha: Stand) -> None:
    report = ha.apply(SHORT)
    assert report.ok, (report.failed, report.blocked)
    ha.hosts["manager1"].run("systemctl stop docker", check=True)
    try:
        ha.hosts["manager2"].run(f"timeout 60 sh -c '{REPORTED}'", check=True, timeout=90)
        results = ha.check(SHORT)
    finally:
        ha.hosts["manager1"].run("systemctl start docker", check=True, timeout=120)
        ha.hosts["manager2"].run(f"timeout 60 sh -c '{BACK}'", check=True, timeout=90)
    wrong = [one for one in results if one.outcome not in (Outcome.PASS, Outcome.UNSUPPORTED)]
    assert [(one.check, one.outcome.value) for one in wrong] == [("manager1 manages the Swarm", "blocked")], wrong
    assert wrong[0].cause
    assert (wrong[0].cause.code, wrong[0].cause.subject) == ("engine-down", "manager1")
    inspected = [one for one in results if one.play == "networks/service" and one.kind in ("inspect", "steps")]
    assert Outcome.PASS in {one.outcome for one in inspected}


@pytest.mark.long
def test_all_plays_pass_twice_and_the_second_apply_changes_nothing(ha: Stand) -> None:
    _twice(ha, [])


def _twice(ha: Stand, plays: list[str]) -> None:
    first = ha.apply(plays)
    assert first.ok, (first.failed, first.blocked)
    for _ in range(2):
        results = ha.check(plays)
        wrong = [one for one in results if one.outcome not in (Outcome.PASS, Outcome.UNSUPPORTED)]
        assert not wrong, "\n".join(f"{one.play}: {one.check}\n{told(one)}" for one in wrong)
        again = ha.apply(plays)
        assert again.ok, (again.failed, again.blocked)
        assert [str(done.change.key) for done in again.done] == []

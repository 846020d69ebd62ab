"""Drills on real engines.

What they say of labs that have a property, and of those that lack it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from clusterlab.drills.plan import all_plans
from clusterlab.drills.run import run_drill
from clusterlab.faults import Scene
from clusterlab.faults.record import recorded
from clusterlab.model import Lab, load_lab
from clusterlab.progress import Silent
from clusterlab.pytest_plugin.bench import Bench
from clusterlab.pytest_plugin.fixtures import HostsByRole
from clusterlab.pytest_plugin.own_lab import temporary_lab
from clusterlab.results import Outcome, Result

pytestmark = pytest.mark.engine

INVENTORY = {
    "lab": f"drills-{os.getpid()}",
    "machines": "namespaces",
    "network": {"subnet": "10.76.0.0/24"},
    "hosts": {
        "gw": {"address": "10.76.0.1"},
        "host1": {"address": "10.76.0.11", "roles": ["docker"]},
        "host2": {"address": "10.76.0.12", "roles": ["docker"]},
    },
    "images": {"shell": {"build": "busybox"}},
}


LEFT = (
    "find /run/clusterlab/drills /run/clusterlab/faults /var/lib/docker/volumes/ledger/_data -mindepth 1; "
    "nft list tables | grep clusterlab; pgrep -af '[t]icks[.]sh'"
)
"""Prints what drills and faults would leave behind on a host."""


@pytest.fixture(scope="module")
def clusterlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("drills")
    (folder / "playbooks").mkdir()
    (folder / "inventory.yml").write_text(yaml.safe_dump(INVENTORY))
    shutil.copy(Path(__file__).with_name("play.yml"), folder / "playbooks")
    with temporary_lab(load_lab(folder / "inventory.yml", [], folder / "playbooks")) as bench:
        yield bench


@pytest.fixture
def drill(clusterlab: Bench, hosts: HostsByRole) -> Iterator[Callable[[str], Result]]:
    """Carry out the drill with a title; nothing of it remains."""

    def carried_out(title: str) -> Result:
        (plan,) = [plan for plan in all_plans(clusterlab.lab) if plan.drill.title.startswith(title)]
        return run_drill(Scene(clusterlab.lab, clusterlab.hosts, Silent()), plan).result

    yield carried_out
    assert "".join(host.run(LEFT).stdout for host in hosts()) == ""


def found(result: Result) -> str:
    return "\n".join(f"{one.place}: {one.found}" for one in result.evidence)


def test_two_replicas_survive(drill: Callable[[str], Result]) -> None:
    result = drill("two replicas")
    assert result.outcome is Outcome.PASS, found(result)
    assert result.timeline is not None
    strips = {strip.name: strip.cells for strip in result.timeline.strips}
    assert "#" in strips["gw -> host2:8090"]
    assert set(strips["gw -> host1:8090"]) == {"="}
    assert set(strips["gw -> any"]) == {"="}
    written = next(one for one in result.evidence if one.place == "writer ledger")
    assert written.found.endswith("none lost, duplicated, foreign or reordered")


def test_one_replica_does_not_and_a_volume_that_is_not_shared_loses_writes(drill: Callable[[str], Result]) -> None:
    result = drill("one replica")
    assert result.outcome is Outcome.FAIL, found(result)
    unserved, *_, judged = [one for one in result.evidence if not one.holds]
    assert (unserved.place, unserved.wanted) == ("gw -> any", "web holds")
    assert unserved.found.startswith("unavailable ")
    assert "lost as host1 reads: ledger-host2:0" in judged.found
    assert "lost as host2 reads: ledger-host1:0" in judged.found


def test_containers_serve_on_while_their_engine_is_frozen(drill: Callable[[str], Result]) -> None:
    result = drill("containers serve on")
    assert result.outcome is Outcome.PASS, found(result)


def test_a_drill_is_not_begun_unless_all_is_well(drill: Callable[[str], Result], lab: Lab) -> None:
    result = drill("nothing listens there")
    assert result.outcome is Outcome.ERROR, found(result)
    assert "was not begun" in found(result)
    assert recorded(lab.name) == []

"""Drills on real engines.

What they say of labs that have a property, and of those that lack it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from clusterlab.drills.plan import all_plans
from clusterlab.drills.run import run_drill
from clusterlab.faults import Scene
from clusterlab.faults.record import recorded
from clusterlab.model import Lab, load_lab
from clusterlab.plan.apply import apply
from clusterlab.plan.graph import carry_out
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.results import Outcome, Result
from tests.support.labs import lab_up

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


@dataclass(frozen=True)
class Ground:
    """A lab on which drills are carried out."""

    lab: Lab
    hosts: Hosts

    def drill(self, title: str) -> Result:
        (plan,) = [plan for plan in all_plans(self.lab) if plan.drill.title.startswith(title)]
        return run_drill(Scene(self.lab, self.hosts, Silent()), plan).result

    def left(self) -> str:
        """What drills and faults would leave behind on the hosts."""
        folders = "/run/clusterlab/drills /run/clusterlab/faults /var/lib/docker/volumes/ledger/_data"
        script = f"find {folders} -mindepth 1; nft list tables | grep clusterlab; pgrep -af '[t]icks[.]sh'"
        return "".join(self.hosts[name].run(script).stdout for name in self.hosts)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("drills")
    (folder / "playbooks").mkdir()
    (folder / "inventory.yml").write_text(yaml.safe_dump(INVENTORY))
    shutil.copy(Path(__file__).with_name("play.yml"), folder / "playbooks")
    lab = load_lab(folder / "inventory.yml", [], folder / "playbooks")
    with lab_up(lab) as up:
        report = carry_out(apply(lab, up.hosts, unsupported=up.machines.unsupported()), Silent())
        assert report.ok, (report.failed, report.blocked)
        yield Ground(lab, up.hosts)


def found(result: Result) -> str:
    return "\n".join(f"{one.place}: {one.found}" for one in result.evidence)


def test_two_replicas_survive(ground: Ground) -> None:
    result = ground.drill("two replicas")
    assert result.outcome is Outcome.PASS, found(result)
    assert result.timeline is not None
    strips = {strip.name: strip.cells for strip in result.timeline.strips}
    assert "#" in strips["gw -> host2:8090"]
    assert set(strips["gw -> host1:8090"]) == {"="}
    assert set(strips["gw -> any"]) == {"="}
    written = next(one for one in result.evidence if one.place == "writer ledger")
    assert written.found.endswith("none lost, duplicated, foreign or reordered")
    assert ground.left() == ""


def test_one_replica_does_not_and_a_volume_that_is_not_shared_loses_writes(ground: Ground) -> None:
    result = ground.drill("one replica")
    assert result.outcome is Outcome.FAIL, found(result)
    unserved, *_, judged = [one for one in result.evidence if not one.holds]
    assert (unserved.place, unserved.wanted) == ("gw -> any", "web holds")
    assert unserved.found.startswith("unavailable ")
    assert "lost as host1 reads: ledger-host2:0" in judged.found
    assert "lost as host2 reads: ledger-host1:0" in judged.found
    assert ground.left() == ""


def test_containers_serve_on_while_their_engine_is_frozen(ground: Ground) -> None:
    result = ground.drill("containers serve on")
    assert result.outcome is Outcome.PASS, found(result)
    assert ground.left() == ""


def test_a_drill_is_not_begun_unless_all_is_well(ground: Ground) -> None:
    result = ground.drill("nothing listens there")
    assert result.outcome is Outcome.ERROR, found(result)
    assert "was not begun" in found(result)
    assert recorded(ground.lab.name) == []
    assert ground.left() == ""

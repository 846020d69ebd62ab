"""Nightly runs on real engines; the faults that they must survive are in test_faults."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from clusterlab.build.cache import cache_folder
from clusterlab.remote import Hosts
from tests.support.nightly_lab import NightlyLab, ThreeHosts, existing_lab, outcomes, stages

pytestmark = pytest.mark.engine


def test_a_nightly_run_that_passes_keeps_its_run_and_the_next_compares(nightly_lab: NightlyLab) -> None:
    code, run = nightly_lab.nightly()
    assert (code, run["outcome"]) == (0, "pass"), run
    assert stages(run) == {
        "lock": "done",
        "start": "done",
        "hosts": "done",
        "provision": "done",
        "apply": "done",
        "check": "done",
        "apply again": "done",
        "doctor": "done",
        "collect": "done",
        "clean up": "skipped",
        "write": "done",
        "notify": "skipped",
    }
    assert outcomes(run)["a second apply changes nothing"] == "pass"
    assert run["doctor"]["hosts"] == ["gw", "host1", "host2"]
    assert not [one for one in run["doctor"]["findings"] if one["severity"] == "error"]
    assert run["versions"]["host1"]["engine"]
    assert [name for name in run["versions"]["host2"] if name.startswith("image ")]
    assert run["changes"] is None
    folder = nightly_lab.runs / run["run"]
    assert {path.name for path in folder.iterdir()} >= {"results.json", "junit.xml", "report.html", "logs"}
    logs = {path.relative_to(folder / "logs").as_posix() for path in (folder / "logs").rglob("*.log")}
    assert {"hosts/gw.log", "containers/host1/front.log", "containers/host2/back.log"} <= logs

    code, run = nightly_lab.nightly("--keep", "never")
    assert (code, stages(run)["clean up"]) == (0, "done")
    assert run["changes"]["against"] == folder.name
    assert not run["changes"]["newly_failing"]
    with Hosts(nightly_lab.machines.targets()) as hosts:
        assert hosts["host1"].run("docker ps -aq").stdout == ""


def test_what_breaks_is_a_new_failure_with_its_evidence_and_passes_again(nightly_lab: NightlyLab) -> None:
    told = nightly_lab.folder / "told.json"
    broken = {"title": "back is as it was", "file": {"in": "back", "path": "/tmp/broken", "exists": False}}
    nightly_lab.play(broken)
    nightly_lab.nightly()
    with Hosts(nightly_lab.machines.targets()) as hosts:
        hosts["host2"].exec("back", ["touch", "/tmp/broken"])
        code, run = nightly_lab.nightly("--notify", f"tee {told}")
        assert (code, run["outcome"]) == (1, "fail")
        assert run["changes"]["newly_failing"] == [["proof", "back is as it was"]]
        assert json.loads(told.read_text())["newly_failing"] == [{"play": "proof", "check": "back is as it was"}]
        hosts["host2"].exec("back", ["rm", "/tmp/broken"])
    code, run = nightly_lab.nightly()
    assert (code, run["changes"]["newly_passing"]) == (0, [["proof", "back is as it was"]])
    code, out, _ = nightly_lab.run("history", "-i", "existing.yml", "as it was")
    assert "✔✘✔" in out
    code, out, _ = nightly_lab.run("report", "--compare", "1", "2", "-i", "existing.yml")
    assert "new failure  proof: back is as it was" in out


def test_a_waiver_holds_until_its_day(nightly_lab: NightlyLab) -> None:
    nightly_lab.play({"title": "never", "command": {"on": "host1", "run": "test -e /nowhere"}})
    today = datetime.now(UTC).date()
    waiver = {"play": "proof", "check": "never", "reason": "not yet there", "who": "ada"}
    file = nightly_lab.folder / "existing.waivers.yml"
    file.write_text(yaml.safe_dump({"waivers": [{**waiver, "until": (today + timedelta(days=2)).isoformat()}]}))
    code, run = nightly_lab.nightly()
    assert (code, outcomes(run)["never"]) == (0, "waived")
    file.write_text(yaml.safe_dump({"waivers": [{**waiver, "until": (today - timedelta(days=2)).isoformat()}]}))
    code, run = nightly_lab.nightly()
    assert (code, outcomes(run)["never"]) == (1, "fail")
    assert any("its waiver has ended" in note for note in run["notes"])


def test_a_change_that_comes_back_is_found_by_the_second_apply(nightly_lab: NightlyLab) -> None:
    """A check that removes a container manually stands for whatever keeps undoing what apply does."""
    nightly_lab.play(
        {"title": "undo", "command": {"on": "host2", "run": "docker rm -f back", "stdout": {"contains": "back"}}}
    )
    code, run = nightly_lab.nightly()
    result = next(item for item in run["results"] if item["kind"] == "idempotence")
    assert (code, result["outcome"]) == (1, "fail")
    assert [(item["place"], "container back" in item["found"]) for item in result["evidence"]] == [("host2", True)]


def test_gc_removes_what_an_ended_lab_of_this_workstation_left(
    nightly_lab: NightlyLab, three: ThreeHosts, tmp_path: Path
) -> None:
    code, out, err = nightly_lab.run("clean", "-i", "existing.yml", "--delete-data")  # of the other tests' workstations
    assert code == 0, out + err
    nightly_lab.nightly()
    cache = tmp_path / "cache"
    shutil.copytree(cache_folder() / "images", cache / "clusterlab" / "images")
    nightly_lab.environment["XDG_CACHE_HOME"] = str(cache)  # a copy: artefacts that are not in use are removed as well
    code, out, _ = nightly_lab.run("gc", "--hosts", "-i", "existing.yml")
    assert (code, out) == (0, "Nothing is left over.\n")
    other = (nightly_lab.folder / "existing.yml").read_text().replace("lab: existing-nightly", "lab: another")
    (nightly_lab.folder / "another.yml").write_text(other)
    code, out, _ = nightly_lab.run("gc", "--hosts", "-i", "another.yml")
    assert "objects of the lab existing-nightly on hosts of another" in out
    clean = ("gc", "--hosts", "-i", "another.yml", "--days", "0", "--remove")
    # A lab whose inventory is still there is at work, however long ago that was.
    code, out, err = nightly_lab.run(*clean)
    assert (code, "it is still in" in out) == (0, True), out + err
    # So may be one that another workstation made.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    stranger = existing_lab(three.lab, three.machines, elsewhere)
    stranger.environment["XDG_CACHE_HOME"] = str(cache)
    (stranger.folder / "another.yml").write_text(other)
    code, out, err = stranger.run(*clean)
    assert (code, "no such lab is known here" in out) == (0, True), out + err
    code, plan, _ = nightly_lab.run("plan", "-i", "existing.yml")
    assert "no changes" in plan.lower(), "nothing was touched"
    (nightly_lab.folder / "existing.yml").unlink()
    code, out, err = nightly_lab.run(*clean[:-3])
    assert (code, "it was used 0 days ago" in out) == (0, True), out + err
    code, out, err = nightly_lab.run(*clean)
    assert code == 0, err
    assert "volume data is kept" in err
    code, out, _ = nightly_lab.run(*clean)
    assert "1 objects of the lab existing-nightly" in out

"""Nights on real engines, and the faults that they must survive."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from night_lab import SLOW, Lab3, Nights, power_off, stages, under_way

from clusterlab.remote import Hosts

pytestmark = pytest.mark.engine

SLOW_CHECK = {"title": SLOW, "command": {"on": "host1", "run": "sleep 8; echo done", "stdout": {"contains": "done"}}}


def outcomes(night: dict[str, Any]) -> dict[str, str]:
    return {result["check"]: result["outcome"] for result in night["results"]}


def test_a_night_that_holds_keeps_its_run_and_the_next_compares(nights: Nights) -> None:
    code, night = nights.night()
    assert (code, night["outcome"]) == (0, "pass"), night
    assert stages(night) == {
        "lock": "done",
        "start": "done",
        "hosts": "done",
        "provision": "done",
        "apply": "done",
        "check": "done",
        "apply again": "done",
        "collect": "done",
        "clean up": "skipped",
        "write": "done",
        "notify": "skipped",
    }
    assert outcomes(night)["a second apply changes nothing"] == "pass"
    assert night["versions"]["host1"]["engine"]
    assert night["changes"] is None
    folder = nights.runs / night["run"]
    assert {path.name for path in folder.iterdir()} >= {"results.json", "junit.xml", "report.html", "logs"}
    logs = {path.relative_to(folder / "logs").as_posix() for path in (folder / "logs").rglob("*.log")}
    assert {"hosts/gw.log", "containers/host1/front.log", "containers/host2/back.log"} <= logs

    code, night = nights.night("--keep", "never")
    assert (code, stages(night)["clean up"]) == (0, "done")
    assert night["changes"]["against"] == folder.name
    assert not night["changes"]["newly_failing"]
    with Hosts(nights.machines.targets()) as hosts:
        assert hosts["host1"].run("docker ps -aq").stdout == ""


def test_what_breaks_is_newly_failing_with_its_evidence_and_passes_again(nights: Nights) -> None:
    told = nights.folder / "told.json"
    broken = {"title": "back is as it was", "file": {"in": "back", "path": "/tmp/broken", "exists": False}}
    nights.play(broken)
    nights.night()
    with Hosts(nights.machines.targets()) as hosts:
        hosts["host2"].exec("back", ["touch", "/tmp/broken"])
        code, night = nights.night("--notify", f"tee {told}")
        assert (code, night["outcome"]) == (1, "fail")
        assert night["changes"]["newly_failing"] == [["proof", "back is as it was"]]
        assert json.loads(told.read_text())["newly_failing"] == [{"play": "proof", "check": "back is as it was"}]
        hosts["host2"].exec("back", ["rm", "/tmp/broken"])
    code, night = nights.night()
    assert (code, night["changes"]["newly_passing"]) == (0, [["proof", "back is as it was"]])
    code, out, _ = nights.run("history", "-i", "existing.yml", "as it was")
    assert "✔✘✔" in out
    code, out, _ = nights.run("report", "--compare", "1", "2", "-i", "existing.yml")
    assert "newly failing  proof: back is as it was" in out


def test_a_waiver_holds_until_its_day(nights: Nights) -> None:
    nights.play({"title": "never", "command": {"on": "host1", "run": "test -e /nowhere"}})
    today = datetime.now(UTC).date()
    waiver = {"play": "proof", "check": "never", "reason": "not yet there", "who": "ada"}
    file = nights.folder / "existing.waivers.yml"
    file.write_text(yaml.safe_dump({"waivers": [{**waiver, "until": (today + timedelta(days=2)).isoformat()}]}))
    code, night = nights.night()
    assert (code, outcomes(night)["never"]) == (0, "waived")
    file.write_text(yaml.safe_dump({"waivers": [{**waiver, "until": (today - timedelta(days=2)).isoformat()}]}))
    code, night = nights.night()
    assert (code, outcomes(night)["never"]) == (1, "fail")
    assert any("its waiver has ended" in note for note in night["notes"])


def test_a_change_that_comes_back_is_found_by_the_second_apply(nights: Nights) -> None:
    """A check that removes a container by hand stands for whatever keeps undoing what apply does."""
    nights.play(
        {"title": "undo", "command": {"on": "host2", "run": "docker rm -f back", "stdout": {"contains": "back"}}}
    )
    code, night = nights.night()
    result = next(item for item in night["results"] if item["kind"] == "idempotence")
    assert (code, result["outcome"]) == (1, "fail")
    assert [(item["place"], "container back" in item["found"]) for item in result["evidence"]] == [("host2", True)]


def test_a_dead_host_is_an_error_with_evidence_and_the_others_are_checked(nights: Nights, three: Lab3) -> None:
    power_off(three, "host2")
    code, night = nights.night()
    seen = outcomes(night)
    assert (seen["host2 answers"], seen["host1 answers"]) == ("error", "pass")
    assert (seen["front runs"], seen["back runs"]) == ("pass", "error")
    assert (code, seen["host1 reaches host2"]) == (1, "fail")  # host1 could be asked, and found host2 dead
    evidence = next(item for item in night["results"] if item["check"] == "host2 answers")["evidence"][0]
    assert "host2" in evidence["found"]
    assert stages(night)["check"] == "done"
    assert stages(night)["write"] == "done"


def test_a_host_that_dies_during_the_checks(nights: Nights, three: Lab3) -> None:
    late = {"on": "host2", "run": "sleep 8; hostname", "stdout": {"contains": "host2"}}
    nights.play(SLOW_CHECK, {"title": "host2 lives on", "command": late})
    file = nights.folder / "night.json"
    with nights.start("nightly", "-i", "existing.yml", "--json", str(file)) as process:
        under_way(nights, "check")
        power_off(three, "host2")
        process.communicate(timeout=200)
    night = json.loads(file.read_text())
    assert process.returncode in (1, 3)  # 1 when host1 had not yet pinged it
    assert (outcomes(night)[SLOW], outcomes(night)["host2 lives on"]) == ("pass", "error")
    assert stages(night)["write"] == "done"


def test_no_host_at_all_gives_every_check_an_error(nights: Nights, three: Lab3) -> None:
    for host in three.lab.inventory.hosts:
        power_off(three, host)
    code, night = nights.night()
    assert code == 3
    assert set(outcomes(night).values()) == {"error"}
    assert stages(night)["hosts"] == "failed"
    assert stages(night)["check"] == "skipped"


def test_a_killed_night_leaves_a_readable_run_and_the_next_says_so(nights: Nights) -> None:
    nights.play(SLOW_CHECK)
    with nights.start("nightly", "-i", "existing.yml") as process:
        folder = under_way(nights, "check")
        process.send_signal(signal.SIGKILL)
        process.communicate()
    _, out, _ = nights.run("report", "-i", "existing.yml")
    assert "the run did not finish" in out
    assert "the stage “check” was under way" in (folder / "report.html").read_text()
    nights.play()
    code, night = nights.night()
    assert code == 0
    assert any(f"the run {folder.name} did not finish: it ended in the stage check" in note for note in night["notes"])
    _, out, _ = nights.run("history", "-i", "existing.yml")
    assert "unfinished" in out


def test_an_interrupted_night_is_unfinished(nights: Nights) -> None:
    nights.play(SLOW_CHECK)
    with nights.start("nightly", "-i", "existing.yml") as process:
        folder = under_way(nights, "check")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "interrupted" in err
    night = json.loads((folder / "results.json").read_text())
    assert (night["finished"], stages(night)["check"]) == (False, "interrupted")


def test_two_nights_at_once(nights: Nights) -> None:
    nights.play(SLOW_CHECK)
    with nights.start("nightly", "-i", "existing.yml") as first:
        under_way(nights, "hosts")
        code, gave_up = nights.night()
        assert (code, stages(gave_up)["lock"], stages(gave_up)["check"]) == (3, "failed", "skipped")
        assert "another clusterlab is at work on it: nightly" in gave_up["stages"][0]["message"]
        nights.play()
        code, waited = nights.night("--wait", "60s")
        assert (code, waited["stages"][0]["outcome"]) == (0, "done")
        assert "waited" in waited["stages"][0]["message"]
        first.communicate()
    assert first.returncode == 0
    numbers = [json.loads(path.read_text())["number"] for path in nights.runs.glob("*/results.json")]
    assert sorted(numbers) == [1, 2, 3]


def test_the_deadline_ends_the_night_in_order(nights: Nights) -> None:
    command = {"on": "host1", "run": "sleep 28; echo done", "stdout": {"contains": "done"}, "timeout": "40s"}
    nights.play({"title": SLOW, "command": command})
    code, night = nights.night("--deadline", "30s")  # of which a quarter is kept for the end
    assert code == 3
    names = ("check", "apply again", "collect", "write")
    assert [stages(night)[name] for name in names] == ["failed", "skipped", "done", "done"]
    assert (outcomes(night)["front runs"], outcomes(night)[SLOW]) == ("pass", "error")
    stage = next(item for item in night["stages"] if item["name"] == "check")
    assert "the deadline of 30 s has passed" in stage["message"]


def test_a_damaged_history_is_kept_aside_and_filled_from_the_runs(nights: Nights) -> None:
    nights.night()
    history = nights.runs / "history.sqlite3"
    history.write_bytes(b"no database at all" * 300)
    code, night = nights.night()
    assert code == 0
    assert any("the history was damaged" in note for note in night["notes"])
    assert night["changes"] is not None  # the first run was read back from its folder
    assert len(list(nights.runs.glob("history.sqlite3.damaged-*"))) == 1
    assert "the history was damaged" in (nights.runs / night["run"] / "report.html").read_text()


@pytest.fixture
def small_disk(nights: Nights) -> Iterator[Path]:
    nights.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(nights.state)], check=True)
    try:
        yield nights.state
    finally:
        subprocess.run(["umount", str(nights.state)], check=True)


def test_a_full_disk_still_lets_the_verdict_be_told(nights: Nights, small_disk: Path) -> None:
    with nights.start("nightly", "-i", "existing.yml") as process:
        under_way(nights, "apply")
        free = os.statvfs(small_disk)
        (small_disk / "ballast").write_bytes(b"x" * (free.f_bavail * free.f_frsize))
        out, err = process.communicate(timeout=200)
    assert process.returncode == 3
    assert "✔ front runs" in out
    assert "✘ write" in out
    assert "No space left on device" in err
    assert not list(small_disk.rglob("*.partial"))


def test_a_disk_that_is_full_from_the_start(nights: Nights, small_disk: Path) -> None:
    free = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(b"x" * (free.f_bavail * free.f_frsize))
    code, out, err = nights.run("nightly", "-i", "existing.yml")
    assert code == 3, out + err
    assert "No space left on device" in out + err
    assert "existing-nights: not everything could be carried out" in out
    (small_disk / "ballast").unlink()
    code, _, _ = nights.run("nightly", "-i", "existing.yml")
    assert code == 0


def test_gc_finds_what_another_lab_left_on_the_hosts(nights: Nights) -> None:
    nights.night()
    code, out, _ = nights.run("gc", "--hosts", "-i", "existing.yml")
    assert (code, out) == (0, "Nothing is left over.\n")
    other = (nights.folder / "existing.yml").read_text().replace("lab: existing-nights", "lab: another")
    (nights.folder / "another.yml").write_text(other)
    code, out, _ = nights.run("gc", "--hosts", "-i", "another.yml")
    assert "objects of the lab existing-nights on hosts of another" in out
    code, out, err = nights.run("gc", "--hosts", "-i", "another.yml", "--remove")
    assert code == 0, err
    assert "volume data is kept" in err
    code, out, _ = nights.run("gc", "--hosts", "-i", "another.yml")
    assert "1 objects of the lab existing-nights" in out

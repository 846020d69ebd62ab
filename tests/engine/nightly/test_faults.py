"""Faults that a nightly run survives: of hosts, of the disk, of the clock, of its own process and of another one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tests.support import footprint
from tests.support.nightly_lab import SLOW, NightlyLab, ThreeHosts, outcomes, power_off, stages, under_way

pytestmark = pytest.mark.engine

SLOW_CHECK = {"title": SLOW, "command": {"on": "host1", "run": "sleep 8; echo done", "stdout": {"contains": "done"}}}


def test_a_dead_host_is_an_error_with_evidence_and_the_others_are_checked(
    nightly_lab: NightlyLab, three: ThreeHosts
) -> None:
    power_off(three, "host2")
    code, run = nightly_lab.nightly()
    seen = outcomes(run)
    assert (seen["host2 answers"], seen["host1 answers"]) == ("error", "pass")
    assert (seen["front runs"], seen["back runs"]) == ("pass", "blocked")
    assert (code, seen["host1 reaches host2"]) == (1, "blocked")  # by the same cause, which is reported once
    evidence = next(item for item in run["results"] if item["check"] == "host2 answers")["evidence"][0]
    assert "host2" in evidence["found"]
    assert stages(run)["check"] == "done"
    assert stages(run)["write"] == "done"


def test_a_host_that_dies_during_the_checks(nightly_lab: NightlyLab, three: ThreeHosts) -> None:
    late = {"on": "host2", "run": "sleep 8; hostname", "stdout": {"contains": "host2"}}
    nightly_lab.play(SLOW_CHECK, {"title": "host2 lives on", "command": late})
    file = nightly_lab.folder / "nightly.json"
    with nightly_lab.start("nightly", "-i", "existing.yml", "--json", str(file)) as process:
        under_way(nightly_lab, "check")
        power_off(three, "host2")
        process.communicate(timeout=200)
    run = json.loads(file.read_text())
    assert process.returncode in (1, 3)  # 1 when host1 had not yet pinged it
    assert (outcomes(run)[SLOW], outcomes(run)["host2 lives on"]) == ("pass", "blocked")
    assert stages(run)["write"] == "done"


def test_without_any_host_every_check_says_that_it_was_not_run(nightly_lab: NightlyLab, three: ThreeHosts) -> None:
    for host in three.lab.inventory.hosts:
        power_off(three, host)
    code, run = nightly_lab.nightly()
    assert code == 3
    assert {name: outcome for name, outcome in outcomes(run).items() if outcome != "not-run"} == {
        f"{host} answers": "error" for host in three.lab.inventory.hosts
    }
    assert stages(run)["hosts"] == "failed"
    assert stages(run)["check"] == "skipped"


def test_a_killed_nightly_run_leaves_a_readable_run_and_the_next_says_so(nightly_lab: NightlyLab) -> None:
    nightly_lab.play(SLOW_CHECK)
    with nightly_lab.start("nightly", "-i", "existing.yml") as process:
        folder = under_way(nightly_lab, "check")
        process.send_signal(signal.SIGKILL)
        process.communicate()
    _, out, _ = nightly_lab.run("report", "-i", "existing.yml")
    assert "the run did not finish" in out
    assert "the stage “check” was under way" in (folder / "report.html").read_text()
    nightly_lab.play()
    code, run = nightly_lab.nightly()
    assert code == 0
    assert any(f"the run {folder.name} did not finish: it ended in the stage check" in note for note in run["notes"])
    _, out, _ = nightly_lab.run("history", "-i", "existing.yml")
    assert "unfinished" in out


DIES = """
import os, signal
from clusterlab.nightly.record import Record
save = Record.save
def save_and_die(record):
    save(record)
    if [(stage.name, stage.outcome) for stage in record.run.stages[-1:]] == [({stage!r}, "under way")]:
        os.kill(os.getpid(), signal.SIGKILL)
Record.save = save_and_die
"""
STAGES = (
    "lock",
    "start",
    "hosts",
    "provision",
    "apply",
    "check",
    "apply again",
    "doctor",
    "collect",
    "clean up",
    "write",
    "notify",
)


@pytest.mark.long
def test_a_nightly_run_killed_in_any_stage_is_readable_and_told_of_by_the_next(nightly_lab: NightlyLab) -> None:
    """Each of these runs follows one that was killed: it gets the lock, and says how the one before ended."""
    for number, stage in enumerate(STAGES, 1):
        with nightly_lab.start(
            "nightly", "-i", "existing.yml", "--notify", "true", first=DIES.format(stage=stage)
        ) as process:
            assert process.wait(60) == -signal.SIGKILL
        _, out, _ = nightly_lab.run("report", str(number), "-i", "existing.yml")
        assert f"… {stage}" in out
        assert ("the run did not finish" in out) == (stage != "notify")  # then its verdict is known already
    assert nightly_lab.nightly()[0] == 0
    kept = [json.loads(path.read_text()) for path in nightly_lab.runs.glob("*/results.json")]
    names = {run["number"]: run["run"] for run in kept}
    notes = [note for run in kept for note in run["notes"]]
    for number, stage in enumerate(STAGES, 1):
        said = f"the run {names[number]} did not finish: it ended in the stage {stage}"
        assert notes.count(said) == 1, stage


def test_a_nightly_run_killed_while_it_makes_machines(nightly_lab: NightlyLab, tmp_path: Path) -> None:
    """What it had made by then is taken away by the next one, which begins by recreating the machines.

    Both have the short PATH that cron gives.
    """
    nightly_lab.environment["PATH"] = "/usr/bin:/bin"
    lab = f"nightly-killed-{os.getpid()}"
    hosts = {"host1": {"address": "10.75.0.11", "roles": ["docker"]}, "host2": {"address": "10.75.0.12"}}
    inventory = {"lab": lab, "machines": "namespaces", "network": {"subnet": "10.75.0.0/24"}, "hosts": hosts}
    (tmp_path / "made.yml").write_text(yaml.safe_dump(inventory))
    check = {"title": "host1 reaches host2", "ping": {"on": "host1", "to": "host2"}}
    (tmp_path / "playbooks" / "proof.yml").write_text(yaml.safe_dump({"title": "little", "checks": [check]}))
    labs = nightly_lab.state / "clusterlab" / "labs"
    run = ("nightly", "-i", "made.yml", "--keep", "never")
    with nightly_lab.start(*run) as process:
        pid_file = labs / lab / "hosts" / "host1" / "pid"
        assert _within(60, pid_file.exists)
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
    assert footprint.processes(lab)
    code, out, err = nightly_lab.run(*run)
    assert code == 0, out + err
    assert "it ended in the stage start" in out
    assert footprint.left(lab, labs, set()) == {}


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


JUMPS = """
import datetime, pathlib, time
def ahead():
    return float(pathlib.Path({clock!r}).read_text())
class Moment(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=ahead())
class Day(datetime.date):
    @classmethod
    def today(cls):
        return super().today() + datetime.timedelta(seconds=ahead())
seconds = time.time
datetime.datetime, datetime.date, time.time = Moment, Day, lambda: seconds() + ahead()
"""


def test_a_clock_that_jumps_changes_neither_order_nor_durations_nor_what_is_kept(nightly_lab: NightlyLab) -> None:
    """Back by more than a year while checks are asked, ten years ahead in the next run, and right again."""
    day = 86400
    clock = nightly_lab.folder / "clock"
    nightly_lab.nightly()
    nightly_lab.play(SLOW_CHECK)
    clock.write_text("0")
    with nightly_lab.start("nightly", "-i", "existing.yml", first=JUMPS.format(clock=str(clock))) as process:
        under_way(nightly_lab, "check", number=2)
        clock.write_text(str(-400 * day))
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    nightly_lab.play()
    clock.write_text(str(4000 * day))
    with nightly_lab.start("nightly", "-i", "existing.yml", first=JUMPS.format(clock=str(clock))) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    code, run = nightly_lab.nightly()
    assert (code, run["number"]) == (0, 4)
    kept = {}
    for path in nightly_lab.runs.glob("*/results.json"):
        one = json.loads(path.read_text())
        kept[one["number"]] = one
    assert sorted(kept) == [1, 2, 3, 4]
    years = [datetime.fromisoformat(kept[number]["started"]).year - datetime.now(UTC).year for number in (2, 3, 4)]
    assert years[1] in (10, 11)  # the clock did jump
    assert (years[0], years[2]) == (0, 0)
    assert all(0 < one["seconds"] < 100 for one in kept.values())
    assert all(0 <= stage["seconds"] < 100 for one in kept.values() for stage in one["stages"])
    assert [kept[number]["changes"]["against"] for number in (2, 3, 4)] == [kept[number]["run"] for number in (1, 2, 3)]
    _, out, _ = nightly_lab.run("history", "-i", "existing.yml", "front runs")
    assert [line.split()[0] for line in out.splitlines()[1:5]] == ["1", "2", "3", "4"]


def test_an_interrupted_nightly_run_is_unfinished(nightly_lab: NightlyLab) -> None:
    nightly_lab.play(SLOW_CHECK)
    with nightly_lab.start("nightly", "-i", "existing.yml") as process:
        folder = under_way(nightly_lab, "check")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "interrupted" in err
    run = json.loads((folder / "results.json").read_text())
    assert (run["finished"], stages(run)["check"]) == (False, "interrupted")


def test_two_nightly_runs_at_once(nightly_lab: NightlyLab) -> None:
    nightly_lab.play(SLOW_CHECK)
    with nightly_lab.start("nightly", "-i", "existing.yml") as first:
        under_way(nightly_lab, "hosts")
        code, gave_up = nightly_lab.nightly()
        assert (code, stages(gave_up)["lock"], stages(gave_up)["check"]) == (3, "failed", "skipped")
        assert "another clusterlab is at work on it: nightly" in gave_up["stages"][0]["message"]
        nightly_lab.play()
        code, waited = nightly_lab.nightly("--wait", "60s")
        assert (code, waited["stages"][0]["outcome"]) == (0, "done")
        assert "waited" in waited["stages"][0]["message"]
        said = first.communicate()
    assert first.returncode == 0, said
    numbers = [json.loads(path.read_text())["number"] for path in nightly_lab.runs.glob("*/results.json")]
    assert sorted(numbers) == [1, 2, 3]


def test_the_deadline_ends_the_nightly_run_in_order(nightly_lab: NightlyLab) -> None:
    command = {"on": "host1", "run": "sleep 28; echo done", "stdout": {"contains": "done"}, "timeout": "40s"}
    nightly_lab.play({"title": SLOW, "command": command})
    code, run = nightly_lab.nightly("--deadline", "30s")  # of which a quarter is kept for the end
    assert code == 3
    names = ("check", "apply again", "collect", "write")
    assert [stages(run)[name] for name in names] == ["failed", "skipped", "done", "done"]
    assert (outcomes(run)["front runs"], outcomes(run)[SLOW]) == ("pass", "not-run")
    stage = next(item for item in run["stages"] if item["name"] == "check")
    assert "the deadline of 30 s has passed" in stage["message"]


def test_a_damaged_history_is_kept_aside_and_filled_from_the_runs(nightly_lab: NightlyLab) -> None:
    nightly_lab.nightly()
    history = nightly_lab.runs / "history.sqlite3"
    history.write_bytes(b"no database at all" * 300)
    code, run = nightly_lab.nightly()
    assert code == 0
    assert any("the history was damaged" in note for note in run["notes"])
    assert run["changes"] is not None  # the first run was read back from its folder
    assert len(list(nightly_lab.runs.glob("history.sqlite3.damaged-*"))) == 1
    assert "the history was damaged" in (nightly_lab.runs / run["run"] / "report.html").read_text()


@pytest.fixture
def small_disk(nightly_lab: NightlyLab) -> Iterator[Path]:
    nightly_lab.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(nightly_lab.state)], check=True)
    try:
        yield nightly_lab.state
    finally:
        subprocess.run(["umount", str(nightly_lab.state)], check=True)


def test_a_full_disk_still_lets_the_verdict_be_told(nightly_lab: NightlyLab, small_disk: Path) -> None:
    with nightly_lab.start("nightly", "-i", "existing.yml") as process:
        under_way(nightly_lab, "apply")
        free = os.statvfs(small_disk)
        (small_disk / "ballast").write_bytes(b"x" * (free.f_bavail * free.f_frsize))
        out, err = process.communicate(timeout=200)
    assert process.returncode == 3
    assert "✔ front runs" in out
    assert "✘ write" in out
    assert "No space left on device" in err
    assert not list(small_disk.rglob("*.partial"))


def test_a_disk_that_is_full_from_the_start(nightly_lab: NightlyLab, small_disk: Path) -> None:
    free = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(b"x" * (free.f_bavail * free.f_frsize))
    code, out, err = nightly_lab.run("nightly", "-i", "existing.yml")
    assert code == 3, out + err
    assert "No space left on device" in out + err
    assert "existing-nightly: not everything could be carried out" in out
    (small_disk / "ballast").unlink()
    code, _, _ = nightly_lab.run("nightly", "-i", "existing.yml")
    assert code == 0

"""The faults that a night must survive: of hosts, of the disk, of the clock, of its own process and of another one."""

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
from tests.support.night_lab import SLOW, Lab3, Nights, outcomes, power_off, stages, under_way

pytestmark = pytest.mark.engine

SLOW_CHECK = {"title": SLOW, "command": {"on": "host1", "run": "sleep 8; echo done", "stdout": {"contains": "done"}}}


def test_a_dead_host_is_an_error_with_evidence_and_the_others_are_checked(nights: Nights, three: Lab3) -> None:
    power_off(three, "host2")
    code, night = nights.night()
    seen = outcomes(night)
    assert (seen["host2 answers"], seen["host1 answers"]) == ("error", "pass")
    assert (seen["front runs"], seen["back runs"]) == ("pass", "blocked")
    assert (code, seen["host1 reaches host2"]) == (1, "blocked")  # by the same cause, which is reported once
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
    assert (outcomes(night)[SLOW], outcomes(night)["host2 lives on"]) == ("pass", "blocked")
    assert stages(night)["write"] == "done"


def test_without_any_host_every_check_says_that_it_was_not_run(nights: Nights, three: Lab3) -> None:
    for host in three.lab.inventory.hosts:
        power_off(three, host)
    code, night = nights.night()
    assert code == 3
    assert {name: outcome for name, outcome in outcomes(night).items() if outcome != "not-run"} == {
        f"{host} answers": "error" for host in three.lab.inventory.hosts
    }
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


DIES = """
import os, signal
from clusterlab.nightly.record import Record
save = Record.save
def save_and_die(record):
    save(record)
    if [(stage.name, stage.outcome) for stage in record.night.stages[-1:]] == [({stage!r}, "under way")]:
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
    "collect",
    "clean up",
    "write",
    "notify",
)


@pytest.mark.long
def test_a_night_killed_in_any_stage_is_readable_and_told_of_by_the_next(nights: Nights) -> None:
    """Each of these nights follows one that was killed: it gets the lock, and says how the one before ended."""
    for number, stage in enumerate(STAGES, 1):
        with nights.start(
            "nightly", "-i", "existing.yml", "--notify", "true", first=DIES.format(stage=stage)
        ) as process:
            assert process.wait(60) == -signal.SIGKILL
        _, out, _ = nights.run("report", str(number), "-i", "existing.yml")
        assert f"… {stage}" in out
        assert ("the run did not finish" in out) == (stage != "notify")  # then its verdict is known already
    assert nights.night()[0] == 0
    kept = [json.loads(path.read_text()) for path in nights.runs.glob("*/results.json")]
    names = {night["number"]: night["run"] for night in kept}
    notes = [note for night in kept for note in night["notes"]]
    for number, stage in enumerate(STAGES, 1):
        said = f"the run {names[number]} did not finish: it ended in the stage {stage}"
        assert notes.count(said) == 1, stage


def test_a_night_killed_while_it_makes_machines(nights: Nights, tmp_path: Path) -> None:
    """What it had made by then is taken away by the next one, which begins with making machines anew.

    Both have the short PATH that cron gives.
    """
    nights.environment["PATH"] = "/usr/bin:/bin"
    lab = f"nightly-killed-{os.getpid()}"
    hosts = {"host1": {"address": "10.75.0.11", "roles": ["docker"]}, "host2": {"address": "10.75.0.12"}}
    inventory = {"lab": lab, "machines": "namespaces", "network": {"subnet": "10.75.0.0/24"}, "hosts": hosts}
    (tmp_path / "made.yml").write_text(yaml.safe_dump(inventory))
    check = {"title": "host1 reaches host2", "ping": {"on": "host1", "to": "host2"}}
    (tmp_path / "playbooks" / "proof.yml").write_text(yaml.safe_dump({"title": "little", "checks": [check]}))
    labs = nights.state / "clusterlab" / "labs"
    night = ("nightly", "-i", "made.yml", "--keep", "never")
    with nights.start(*night) as process:
        pid_file = labs / lab / "hosts" / "host1" / "pid"
        assert _within(60, pid_file.exists)
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
    assert footprint.processes(lab)
    code, out, err = nights.run(*night)
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


def test_a_clock_that_jumps_changes_neither_order_nor_durations_nor_what_is_kept(nights: Nights) -> None:
    """Back by more than a year while checks are asked, ten years ahead in the next night, and right again."""
    day = 86400
    clock = nights.folder / "clock"
    nights.night()
    nights.play(SLOW_CHECK)
    clock.write_text("0")
    with nights.start("nightly", "-i", "existing.yml", first=JUMPS.format(clock=str(clock))) as process:
        under_way(nights, "check", number=2)
        clock.write_text(str(-400 * day))
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    nights.play()
    clock.write_text(str(4000 * day))
    with nights.start("nightly", "-i", "existing.yml", first=JUMPS.format(clock=str(clock))) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    code, night = nights.night()
    assert (code, night["number"]) == (0, 4)
    kept = {}
    for path in nights.runs.glob("*/results.json"):
        one = json.loads(path.read_text())
        kept[one["number"]] = one
    assert sorted(kept) == [1, 2, 3, 4]
    years = [datetime.fromisoformat(kept[number]["started"]).year - datetime.now(UTC).year for number in (2, 3, 4)]
    assert years[1] in (10, 11)  # the clock did jump
    assert (years[0], years[2]) == (0, 0)
    assert all(0 < one["seconds"] < 100 for one in kept.values())
    assert all(0 <= stage["seconds"] < 100 for one in kept.values() for stage in one["stages"])
    assert [kept[number]["changes"]["against"] for number in (2, 3, 4)] == [kept[number]["run"] for number in (1, 2, 3)]
    _, out, _ = nights.run("history", "-i", "existing.yml", "front runs")
    assert [line.split()[0] for line in out.splitlines()[1:5]] == ["1", "2", "3", "4"]


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
        said = first.communicate()
    assert first.returncode == 0, said
    numbers = [json.loads(path.read_text())["number"] for path in nights.runs.glob("*/results.json")]
    assert sorted(numbers) == [1, 2, 3]


def test_the_deadline_ends_the_night_in_order(nights: Nights) -> None:
    command = {"on": "host1", "run": "sleep 28; echo done", "stdout": {"contains": "done"}, "timeout": "40s"}
    nights.play({"title": SLOW, "command": command})
    code, night = nights.night("--deadline", "30s")  # of which a quarter is kept for the end
    assert code == 3
    names = ("check", "apply again", "collect", "write")
    assert [stages(night)[name] for name in names] == ["failed", "skipped", "done", "done"]
    assert (outcomes(night)["front runs"], outcomes(night)[SLOW]) == ("pass", "not-run")
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

"""The loops that run on hosts, run here by a real shell."""

from __future__ import annotations

import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from clusterlab.drills.record import Record, read_record
from clusterlab.drills.series import ticks

TICKS = str(files("clusterlab.drills").joinpath("ticks.sh"))
APPEND = str(files("clusterlab.drills").joinpath("append.sh"))


def uptime() -> int:
    """Hundredths of a second."""
    return round(float(Path("/proc/uptime").read_text().split()[0]) * 100)


def run(folder: Path, command: str, seconds: float, period: float = 0.2) -> tuple[Record, int]:
    first = uptime() + 10
    log = folder / "web.log"
    until = first + round(seconds * 100)
    argv = ["sh", TICKS, str(log), str(first), str(round(period * 100)), str(until), "sh", "-c", command, "sh"]
    subprocess.run(argv, check=True, timeout=30)
    return read_record("web", log.read_text()), first


def test_it_asks_at_fixed_ticks_and_ends(tmp_path: Path) -> None:
    """On a busy computer ticks are left out, and none is late by a whole period."""
    record, first = run(tmp_path, "exit 0", 1.0)
    assert record.complete
    numbers = [request.tick for request in record.requests]
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(range(5))
    for request in record.requests:
        assert request.outcome == "ok"
        assert request.began > first / 100 + request.tick * 0.2 - 0.02  # a sleep may end a hundredth early


def test_a_request_that_hangs_costs_the_ticks_behind_it(tmp_path: Path) -> None:
    record, first = run(tmp_path, 'if [ "$1" = 0 ]; then sleep 0.5; exit 28; fi', 1.2)
    found = ticks(record, first / 100, 0.2, first / 100 + 1.2)
    hung = record.requests[0]
    assert hung.ended is not None
    behind = [tick for tick in found if tick.at < hung.ended - 0.02]
    assert len(behind) >= 3
    assert {tick.state for tick in behind} == {"failed"}
    assert not [tick for tick in found if tick.at > hung.ended and tick.state == "failed"]


@pytest.mark.parametrize(("code", "outcome"), [(0, "ok"), (100, "fail"), (1, "info"), (137, "info")])
def test_exit_codes(tmp_path: Path, code: int, outcome: str) -> None:
    record, _ = run(tmp_path, f"exit {code}", 0.2)
    assert [request.outcome for request in record.requests] == [outcome]


def test_it_ends_with_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    first = uptime()
    argv = ["sh", TICKS, f"{folder}/web.log", str(first), "10", str(first + 3000), "rm", "-rf", str(folder)]
    subprocess.run(argv, check=True, timeout=10, stderr=subprocess.DEVNULL)
    assert not folder.exists()


def append(file: Path, tick: int) -> int:
    return subprocess.run(["sh", APPEND, "ledger-host1", str(file), "5", str(tick)], timeout=20).returncode


def test_values_are_appended(tmp_path: Path) -> None:
    file = tmp_path / "values"
    file.touch()
    assert [append(file, 0), append(file, 3)] == [0, 0]
    assert file.read_text() == "ledger-host1:0\nledger-host1:3\n"


def test_a_file_that_is_gone_is_not_created(tmp_path: Path) -> None:
    assert append(tmp_path / "values", 0) == 100
    assert not (tmp_path / "values").exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "values"
    victim.touch()
    link.symlink_to(victim)
    assert append(link, 0) == 1
    assert victim.read_text() == ""


def test_a_full_disk_refuses() -> None:
    assert append(Path("/dev/full"), 0) != 0

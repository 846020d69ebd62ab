from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clusterlab.errors import UsageError
from clusterlab.nightly.runs import ALWAYS_KEPT, Runs
from clusterlab.results import Outcome
from tests.support.nightly_runs import nightly_run, result

NOW = datetime(2026, 3, 20, 3, 0, tzinfo=UTC)


def kept(name: str, number: int) -> None:
    folder = Runs("demo").folder / name
    folder.mkdir(parents=True)
    (folder / "begun.json").write_text(f'{{"number": {number}}}')


def names(runs: list) -> list[str]:  # type: ignore[type-arg]
    return [run.name for run in runs]


def test_a_run_has_all_its_files() -> None:
    run = Runs("demo").begin()
    run.write(nightly_run(1, result(Outcome.FAIL)))
    assert {"results.json", "report.html", "junit.xml"} <= {path.name for path in run.path.iterdir()}
    assert run.read() == nightly_run(1, result(Outcome.FAIL))


def test_two_runs_in_one_second_are_two() -> None:
    first, second = Runs("demo").begin(), Runs("demo").begin()
    assert (first.number, second.number) == (1, 2)
    assert first.path != second.path


def test_numbers_go_on_after_the_history() -> None:
    assert Runs("demo").begin(after=41).number == 42


def test_order_is_by_number_whatever_the_clock_did() -> None:
    kept("20260310T030000Z", 1)
    kept("20250101T000000Z", 2)
    kept("20990101T000000Z", 3)
    assert [run.number for run in Runs("demo").all()] == [1, 2, 3]
    assert Runs("demo").find("last").number == 3
    assert Runs("demo").find("2").name == "20250101T000000Z"


def test_an_unknown_run_is_told_with_those_that_there_are() -> None:
    kept("20260310T030000Z", 1)
    with pytest.raises(UsageError) as raised:
        Runs("demo").find("9")
    assert raised.value.remedy == "The newest are 20260310T030000Z."


def test_retention_by_count() -> None:
    for day in range(10, 16):
        kept(f"202603{day}T030000Z", day)
    assert names(Runs("demo").beyond(4, 365, NOW)) == ["20260310T030000Z", "20260311T030000Z"]


def test_retention_by_age() -> None:
    for day in range(10, 16):
        kept(f"202603{day}T030000Z", day)
    assert names(Runs("demo").beyond(100, 8, NOW)) == ["20260310T030000Z", "20260311T030000Z"]


def test_a_clock_far_in_the_future_does_not_empty_the_folder() -> None:
    for day in range(10, 16):
        kept(f"202603{day}T030000Z", day)
    left = 6 - len(Runs("demo").beyond(100, 90, NOW + timedelta(days=20_000)))
    assert left == ALWAYS_KEPT


def test_a_run_from_the_future_is_not_old() -> None:
    for number, year in enumerate((2099, 2026, 2026, 2026, 2026), 1):
        kept(f"{year}03{10 + number}T030000Z", number)
    assert Runs("demo").beyond(100, 30, NOW) == []


def test_a_running_run_is_not_removed() -> None:
    first = Runs("demo").begin()
    for _ in range(3):
        Runs("demo").begin().close()
    assert first.number not in [run.number for run in Runs("demo").beyond(1, 1)]
    first.close()
    assert first.number in [run.number for run in Runs("demo").beyond(1, 1)]


def test_a_killed_process_leaves_a_readable_unfinished_run(tmp_path: Path) -> None:
    code = (
        "import os, signal; from dataclasses import replace\n"
        "from tests.support.nightly_runs import nightly_run, result\n"
        "from clusterlab.results import Outcome; from clusterlab.nightly.runs import Runs\n"
        "run = Runs('demo').begin(); run.write(replace(nightly_run(1, result(Outcome.FAIL)), finished=False))\n"
        "print('written', flush=True); signal.pause()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        (run,) = Runs("demo").all()
        assert run.is_running()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not run.is_running()
    assert not run.read().finished
    assert run.read().results[0].outcome is Outcome.FAIL
    assert "The run did not finish" in run.report.read_text()

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.nightly.history import History
from clusterlab.nightly.nightly_run import CheckId
from clusterlab.results import Outcome
from tests.support.nightly_runs import BEGAN, nightly_run, result

CHECK = CheckId("volumes/nfs", "it works")
PASS, FAIL, FLAKY, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.FLAKY, Outcome.ERROR


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "history.sqlite3"


def filled(path: Path, *outcomes: Outcome) -> History:
    past = History(path)
    for number, outcome in enumerate(outcomes, 1):
        past.add(nightly_run(number, result(outcome, seconds=float(number))))
    return past


def test_since_when_it_fails_is_the_first_run_of_the_last_streak(path: Path) -> None:
    with filled(path, PASS, FAIL, PASS, FAIL, ERROR, FAIL) as past:
        trend = past.trend(CHECK)
    assert trend.failing_since == BEGAN + timedelta(days=4)
    assert trend.failing_runs == 3
    assert trend.outcomes == ["pass", "fail", "pass", "fail", "error", "fail"]


def test_a_streak_is_counted_beyond_what_is_shown(path: Path) -> None:
    with filled(path, PASS, *[FAIL] * 30) as past:
        trend = past.trend(CHECK, runs=5)
    assert (trend.failing_runs, len(trend.outcomes)) == (30, 5)


def test_a_check_that_holds_fails_since_never(path: Path) -> None:
    with filled(path, FAIL, FAIL, FLAKY) as past:
        assert past.trend(CHECK).failing_since is None


def test_the_flake_rate_is_of_the_runs_that_asked(path: Path) -> None:
    with filled(path, FLAKY, PASS, ERROR, Outcome.UNSUPPORTED, FAIL, PASS) as past:
        assert past.trend(CHECK).flake_rate == 0.25


def test_usual_seconds_are_of_earlier_runs_that_held(path: Path) -> None:
    with filled(path, PASS, FAIL, PASS, PASS) as past:
        assert past.trend(CHECK).median == 2.0  # of 1 and 3


def test_the_run_before_is_the_last_that_asked_something(path: Path) -> None:
    with filled(path, PASS, FAIL) as past:
        past.add(nightly_run(3))
        past.add(nightly_run(4, result(PASS)))
        before = past.before(4)
        assert before is not None
        assert (before[0].number, before[1]) == (2, {CHECK: FAIL})
        assert past.before(1) is None


def test_a_clock_that_jumps_back_does_not_change_the_order(path: Path) -> None:
    with filled(path, FAIL, PASS) as past:
        past.add(replace(nightly_run(3, result(FAIL)), started=BEGAN - timedelta(days=400)))
        assert [run.number for run in past.runs()] == [1, 2, 3]
        assert past.trend(CHECK).outcomes == ["fail", "pass", "fail"]
        assert past.trend(CHECK).failing_runs == 1


def test_recording_a_run_again_replaces_it(path: Path) -> None:
    with filled(path, PASS) as past:
        past.add(nightly_run(1, result(FAIL)))
        assert [run.outcome for run in past.runs()] == ["fail"]
        assert past.trend(CHECK).outcomes == ["fail"]


def test_it_is_kept_from_one_opening_to_the_next(path: Path) -> None:
    filled(path, PASS).__exit__(None, None, None)
    with History(path) as past:
        assert past.last_number() == 1
        assert past.checks() == [CHECK]
        assert past.notes == []


def broken_header(path: Path) -> None:
    path.write_bytes(b"this is not a database" * 100)


def broken_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)


def cut_off(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(4096 + 100)


@pytest.mark.parametrize("damage", [broken_header, broken_page, cut_off])
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(path: Path, damage: object) -> None:
    filled(path, PASS, FAIL).__exit__(None, None, None)
    damage(path)  # type: ignore[operator]
    content = path.read_bytes()
    with History(path) as past:
        assert past.runs() == []
        (note,) = past.notes
        past.add(nightly_run(3, result(PASS)))
    (aside,) = path.parent.glob("history.sqlite3.damaged-*")
    assert str(aside) in note
    assert aside.read_bytes() == content
    with History(path) as past:
        assert (past.notes, past.last_number()) == ([], 3)


def test_an_empty_file_is_begun_anew_without_a_word(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch()
    with History(path) as past:
        assert (past.runs(), past.notes) == ([], [])


def test_a_newer_form_is_left_alone(path: Path) -> None:
    filled(path, PASS).__exit__(None, None, None)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(ClusterlabError, match="newer clusterlab"):
        History(path)
    assert list(path.parent.glob("*.damaged-*")) == []

"""How the tests on real engines are cut into parts."""

from __future__ import annotations

from pathlib import Path

from tests.support import workers

ENGINE = Path(workers.__file__).parents[1] / "engine"


def test_files_that_are_said_to_be_slow_are_there() -> None:
    assert workers.SLOW.keys() <= {path.name for path in ENGINE.rglob("test_*.py")}


def test_a_file_stays_together_unless_it_is_cut() -> None:
    tests = [f"test_it[{number}]" for number in range(60)]
    assert len({workers.part(f"tests/engine/x/test_clean.py::{test}") for test in tests}) == 1
    cut = {workers.part(f"tests/engine/x/test_manual.py::{test}") for test in tests}
    assert len(cut) == workers.SLOW["test_manual.py"]


def test_what_takes_longest_begins_first() -> None:
    files = ["x/test_clean.py", *workers.SLOW]
    assert sorted(files, key=lambda file: workers.begins(f"{file}::test_it")) == [*workers.SLOW, "x/test_clean.py"]


def test_cases_of_one_play_stay_together() -> None:
    cases = [f"tests/engine/plays/test_broken_plays.py::test_broken[overlay-{what}]" for what in ("slow", "gone")]
    assert len({workers.part(case) for case in cases}) == 1

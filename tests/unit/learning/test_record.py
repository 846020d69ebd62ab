"""How far lessons are: only those that were begun, and what cannot be done on these machines does not count."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.learning import record
from clusterlab.learning.record import Standing
from clusterlab.results import Cause, Outcome, Result


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


LACKS = Cause("lacks-nfs", "gw", "nfs: the kernel has no module nfsd")


def results(play: str, *outcomes: Outcome) -> list[Result]:
    return [
        Result(play, f"statement {number}", "command", outcome, cause=LACKS if outcome is Outcome.UNSUPPORTED else None)
        for number, outcome in enumerate(outcomes)
    ]


def test_a_lesson_that_was_not_begun_is_not_noted() -> None:
    assert record.note(results("volumes/nfs", Outcome.PASS)) == []
    assert record.read() == {}


def test_a_lesson_is_done_when_all_that_can_be_asked_passes_and_stays_so() -> None:
    record.begin("volumes/nfs", 3)
    some = results("volumes/nfs", Outcome.PASS, Outcome.FAIL, Outcome.UNSUPPORTED)
    assert record.note(some) == [Standing("volumes/nfs", 1, 2, False)]
    every = results("volumes/nfs", Outcome.PASS, Outcome.FLAKY, Outcome.UNSUPPORTED)
    assert record.note(every) == [Standing("volumes/nfs", 2, 2, True)]
    assert record.note(some) == [Standing("volumes/nfs", 1, 2, True)]
    record.begin("volumes/nfs", 3)
    assert record.read()["volumes/nfs"].done


def test_a_statement_about_nothing_is_not_done() -> None:
    record.begin("services/virtual", 2)
    some = [*results("services/virtual", Outcome.PASS), Result("services/virtual", "it", "port", Outcome.UNSUPPORTED)]
    assert record.note(some) == [Standing("services/virtual", 1, 2, False)]


def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    record.begin("volumes/nfs", 3)
    (tmp_path / "clusterlab/lessons.json").write_text("[{]")
    with pytest.raises(ClusterlabError, match=r"lessons\.json cannot be read") as caught:
        record.read()
    assert caught.value.remedy == "Remove it: the progress over lessons begins again."

"""The table of what must not happen, and the tests that stand for what it cannot show."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.safety.__main__ import counts, table
from tests.bench.safety.elsewhere import ELSEWHERE
from tests.bench.safety.scenario import SCENARIOS, Seen

ROOT = Path(__file__).parents[3]


def test_each_version_is_a_column() -> None:
    first, second = list(SCENARIOS.values())[:2]
    seen: dict[str, dict[str, Seen | None]] = {
        "this code": {first.name: Seen(False, "as it was"), second.name: Seen(False, "a | b")},
        "the code at old": {first.name: Seen(True, "gone"), second.name: None},
    }
    head, _, *rows = table([first, second], seen)
    assert head == "| scenario | what must not happen | this code | the code at old |"
    assert rows == [
        f"| {first.name} | {first.must_not} | safe: as it was | **HAPPENS**: gone |",
        f"| {second.name} | {second.must_not} | safe: a / b | could not be played |",
    ]
    assert counts(seen) == [
        "this code: 0 of 2 happen",
        "the code at old: 1 of 2 happen, 1 could not be played",
    ]


@pytest.mark.parametrize("test", [test for _, _, test in ELSEWHERE])
def test_what_is_not_shown_has_a_test(test: str) -> None:
    file, name = test.split("::")
    assert f"def {name}(" in (ROOT / file).read_text()

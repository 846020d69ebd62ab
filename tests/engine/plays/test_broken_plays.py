"""Plays that are broken one thing at a time, and told so: broken/*.yml, see tests/support/check_cases.py.

Then they are put right: by `heal`, and by the next apply.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.check_cases import broken, case_parameters, compare, read_case
from tests.support.play_bench import Stand

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("path", case_parameters(Path(__file__).parent / "broken"), ids=lambda path: path.stem)
def test_broken(stand: Stand, path: Path) -> None:
    case = read_case(path)
    plays = case["plays"]
    assert stand.apply(plays).ok
    with broken(case, stand.hosts):
        if "blocked" in case:
            assert [str(change.key) for change in stand.apply(plays).blocked] == case["blocked"]
        compare(case, stand.check(plays))
    assert stand.apply(plays).ok
    again = stand.apply(plays)
    assert again.ok
    assert not again.done

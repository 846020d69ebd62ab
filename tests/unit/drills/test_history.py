"""The checker of write histories, on recorded ones: sound, and each wrong in one way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.drills.history import judge
from clusterlab.drills.record import read_record
from clusterlab.errors import ClusterlabError

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "histories/cases.yml").read_text())
WRONG = ("lost", "duplicated", "foreign", "refused", "reordered")


@pytest.mark.parametrize("case", CASES, ids=[case["title"] for case in CASES])
def test_history(case: dict[str, Any]) -> None:
    judgement = judge([read_record(*one) for one in case["writers"].items()], case["readings"])
    assert {what: judgement.count(what) for what in WRONG} == {what: case.get(what, 0) for what in WRONG}
    assert str(judgement) == case.get("says", str(judgement))


def test_each_wrong_is_tried_both_ways() -> None:
    for what in WRONG:
        assert any(case.get(what) for case in CASES)
        assert any(not case.get(what) for case in CASES)


@pytest.mark.parametrize(
    "text", ["rubbish\n", "ok 0 100\n", "invoke x 1\n", "invoke 0 1\nok 0 2\nok 0 3\n", "invoke 0 1\ninvoke 0 2\n"]
)
def test_what_is_not_a_log(text: str) -> None:
    with pytest.raises(ClusterlabError, match="a wrote"):
        read_record("a", text)

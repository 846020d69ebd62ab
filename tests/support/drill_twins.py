"""Set-ups that lack what a drill of playbooks/drills is about, as data: on each, the drill must fail for that reason.

A file of tests/lab/drills is named after the play:

    lacks: what the other set-up lacks
    replace: {"text of the play": "text in its place"}
    before: {host: "a command once the play is applied"}
    after: {host: "a command once the drill is over"}
    found: a regular expression that what is not as expected must match, as PLACE and what was found there
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .check_cases import PLAYBOOKS

TWINS = sorted((Path(__file__).parents[1] / "lab" / "drills").glob("*.yml"))
_KEYS = {"lacks", "replace", "before", "after", "found"}


def read_twin(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = yaml.safe_load(path.read_text())
    assert case.keys() <= _KEYS, f"{path}: unknown keys {case.keys() - _KEYS}"
    assert {"lacks", "found"} <= case.keys(), path
    assert case.keys() & {"replace", "before"}, f"{path}: the set-up is the same"
    return case


def write_twin(path: Path, playbooks: Path) -> None:
    """Write the play of the other set-up below a folder of plays."""
    text = (PLAYBOOKS / "drills" / path.name).read_text()
    for old, new in read_twin(path).get("replace", {}).items():
        assert old in text, f"{path}: the play does not have {old!r}"
        text = text.replace(old, new)
    (playbooks / "drills").mkdir()
    (playbooks / "drills" / path.name).write_text(text)

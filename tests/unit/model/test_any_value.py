"""Whatever stands anywhere in a file: a lab, or an error with a position in words of our own."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.model import InvalidFiles, load_lab

from .test_load import RICH, ROOT

INVENTORY = (ROOT / "inventory" / "default.yml").read_text()
VALUES: list[Any] = [None, True, -5, 1.5, "x", "", [], {}, [1], ["x"], {"x": 1}, [[]], "${lab}", "${hosts}"]
STEP = (
    11  # every so many: no common divisor with the number of values, so that each comes up somewhere; seconds in total
)


def mutants(value: Any) -> Iterator[Any]:
    """Copies of `value` with one thing in it replaced by each of VALUES, or with another key added."""
    for path in _paths(value):
        for new in VALUES:
            changed = copy.deepcopy(value)
            holder = changed
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = new
            yield changed
        if isinstance(path[-1], str):
            changed = copy.deepcopy(value)
            holder = changed
            for key in path[:-1]:
                holder = holder[key]
            holder["another"] = holder.pop(path[-1])
            yield changed


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from _paths(inner, (*path, key))


@pytest.mark.parametrize("file", ["inventory", "play"])
def test_any_value(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    texts = {"inventory": Path("inventory.yml"), "play": Path("playbooks/play.yml")}
    texts["play"].parent.mkdir()
    texts["inventory"].write_text(INVENTORY)
    texts["play"].write_text(RICH.replace("restart: no", 'restart: "no"'))
    original = yaml.safe_load(texts[file].read_text().replace(" on:", ' "on":'))
    refused = 0
    for mutant in islice(mutants(original), 0, None, STEP):
        texts[file].write_text(json.dumps(mutant))
        message = refusal(texts["inventory"])
        refused += bool(message)
        for word in ("pydantic", "Input", "Value error", "cannot be here", "an invalid form", "function"):
            assert word not in message, mutant
    assert refused > 30


def refusal(inventory: Path) -> str:
    """What is wrong with the lab, each problem having a line; "" when nothing is."""
    try:
        load_lab(inventory)
    except InvalidFiles as error:
        unplaced = [problem for problem in error.problems if not problem.line]
        return f"Input without a line: {unplaced}" if unplaced else str(error)
    return ""

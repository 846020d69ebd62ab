"""`${...}`: what it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clusterlab.model.interpolate import Names, interpolate
from clusterlab.model.source import Document, read

INVENTORY = """\
lab: demo
version: 1.10
count: 3
flag: True
subnet: "${net.base}.0/24"
net: {base: "10.0.${count}"}
list: [a, {b: c}]
literal: "$${HOME}"
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Document:
    file = tmp_path / "inventory.yml"
    file.write_text(INVENTORY)
    return read(file)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("${lab}", "demo"),
        ("${count}", 3),
        ("x${count}", "x3"),
        ("${version}", 1.1),
        ("v${version}", "v1.10"),
        ("${flag}", True),
        ("is ${flag}", "is True"),
        ("${lab}-${count}", "demo-3"),
        ("${subnet}", "10.0.3.0/24"),
        ("${list.0}${list.1.b}", "ac"),
        ("${default.x}", 5),
        ("$${lab}", "${lab}"),
        ("$$${lab}", "$${lab}"),
        ("$${lab} ${lab}", "${lab} demo"),
        ("${literal}", "${HOME}"),
        ("<${literal}>", "<${HOME}>"),
        ("$HOME $$ $(id) $", "$HOME $$ $(id) $"),
    ],
)
def test_values(text: str, value: Any, inventory: Document) -> None:
    play = Document("play.yml", {"key": [text]})
    resolved, problems, unresolved = interpolate(play, Names(inventory, {"default": {"x": 5}}))
    assert not problems
    assert not unresolved
    assert resolved.value == {"key": [value]}
    assert type(resolved.value["key"][0]) is type(value)


def test_inventory_refers_to_itself(inventory: Document) -> None:
    resolved, problems, _ = interpolate(inventory, Names(inventory, {}))
    assert not problems
    assert resolved.value["subnet"] == "10.0.3.0/24"
    assert resolved.value["literal"] == "${HOME}"

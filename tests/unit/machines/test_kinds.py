"""What stands above the machines asks their kinds for properties, and names none of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import clusterlab
from clusterlab.machines.kinds import MACHINE_KINDS
from clusterlab.model.inventory import Inventory

_ROOT = Path(clusterlab.__file__).parent
_WRITTEN = re.compile(rf"\bmachines: ({'|'.join(MACHINE_KINDS)})\b")


def named(source: str) -> Iterator[str]:
    """The kinds of machines that a module imports, or writes into an inventory."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and re.match(r"clusterlab\.machines\.\w+\.kind$", node.module or ""):
            yield f"import {node.module}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (match[0] for match in _WRITTEN.finditer(node.value))


@pytest.mark.parametrize(
    "source", ["from clusterlab.machines.qemu.kind import QemuSettings", 'yield "machines: existing"']
)
def test_what_names_a_kind_is_found(source: str) -> None:
    assert list(named(source))


def test_nothing_above_the_machines_names_a_kind() -> None:
    modules = [path for path in _ROOT.rglob("*.py") if path.relative_to(_ROOT).parts[0] != "machines"]
    found = {str(path.relative_to(_ROOT)): list(named(path.read_text())) for path in modules}
    assert {name: kinds for name, kinds in found.items() if kinds} == {}


@pytest.mark.parametrize("kind", MACHINE_KINDS)
def test_the_release_is_that_of_the_section_that_has_one(kind: str) -> None:
    owner = next(one for one in MACHINE_KINDS.values() if one.has_setting("release"))
    document = {"lab": "demo", "machines": kind, "hosts": {"host1": {"address": "192.168.98.11"}}}
    assert Inventory.model_validate({**document, owner.name: {"release": "forky"}}).release == "forky"

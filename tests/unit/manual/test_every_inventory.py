"""Every lesson on every shape of inventory: it loads, and says how it is typed there and what that inventory lacks.

The table is every_inventory.yml: what is unsupported, by inventory and lesson, with the reasons. Everything else must
be supported. `CLUSTERLAB_REGENERATE=1 pytest FILE` writes it: read the difference before you keep it.
"""

from __future__ import annotations

import os
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from clusterlab.manual.lesson import lesson
from clusterlab.model import Lab, load_lab
from clusterlab.progress import Silent
from clusterlab.reports.lesson import show_lesson
from tests.support.check_cases import PLAYBOOKS

SHAPES = Path(__file__).parents[2] / "support" / "inventories"
INVENTORIES = [
    *(PLAYBOOKS.parent / "inventory" / f"{name}.yml" for name in ("default", "ha", "existing")),
    *sorted(SHAPES.glob("*.yml")),
]
TABLE = Path(__file__).parent / "every_inventory.yml"
REFERENCE = re.compile(
    r"\$\{[a-z_.]+\}|(?<!com\.)\b(docker|active_node|all|nfs_server|luns|exports|without_lun)\.[a-z]+\b"
)


@pytest.fixture(scope="module", params=INVENTORIES, ids=lambda file: file.stem)
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """All lessons on one inventory, with images that need not be built."""
    inventory = yaml.safe_load(request.param.read_text())
    inventory["images"] = {name: {"pull": f"example/{name}:1"} for name in inventory["images"]}
    file = tmp_path_factory.mktemp("inventory") / f"{request.param.stem}.yml"
    file.write_text(yaml.safe_dump(inventory, sort_keys=False))
    return load_lab(file, [], PLAYBOOKS)


def test_only_what_the_inventory_lacks_is_unsupported(lab: Lab) -> None:
    assert lab.file is not None
    table: dict[str, Any] = yaml.safe_load(TABLE.read_text()) or {}
    found = {name: one for name, play in lab.plays.items() if (one := _lacking(lab, name, len(play.checks)))}
    if os.environ.get("CLUSTERLAB_REGENERATE"):
        table[lab.file.stem] = found
        TABLE.write_text(yaml.safe_dump(table, sort_keys=False, width=120))
    assert len([name for name in lab.plays if not name.startswith("drills/")]) == 22
    assert found == table[lab.file.stem]


def _lacking(lab: Lab, name: str, statements: int) -> dict[str, Any]:
    reasons = [check.lacks for check in lab.plays[name].checks if check.lacks]
    if not reasons:
        return {}
    return {"unsupported": f"{len(reasons)} of {statements}", "reasons": sorted(set(reasons))}


def test_every_lesson_is_typed_on_hosts_of_the_inventory(lab: Lab) -> None:
    for name, play in lab.plays.items():
        shown = lesson(lab, name, "inventory.yml", Silent())
        hosts = {line.host for part in shown.parts for line in part.lines} - {"", "here"}
        assert hosts <= set(lab.inventory.hosts), name
        supported = [part for part in shown.statements if part.check and not part.check.lacks]
        assert all(part.lines for part in supported), name
        text = "\n".join([part.title for part in supported] + [line.command for p in supported for line in p.lines])
        assert not REFERENCE.search(text), (name, REFERENCE.search(text))
        assert len(shown.statements) == len(play.checks)


def test_explain_says_what_is_lacking(lab: Lab) -> None:
    for name, play in lab.plays.items():
        written = StringIO()
        show_lesson(Console(file=written, width=200), lab, lesson(lab, name, "inventory.yml", Silent()))
        for reason in {*play.left_out.values(), *(check.lacks for check in play.checks if check.lacks)}:
            assert reason in written.getvalue(), name

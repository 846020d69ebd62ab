"""The drills that come with clusterlab, each with a set-up on which it must fail: as data that is valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clusterlab.drills.plan import all_plans
from clusterlab.model import load_lab
from tests.support.check_cases import PLAYBOOKS
from tests.support.drill_twins import TWINS, read_twin, write_twin

HA = PLAYBOOKS.parent / "inventory" / "ha.yml"
IN_NAMESPACES = {"leader", "worker", "partition", "drain"}
"""Those whose other set-ups are in tests/engine/drills/test_shipped.py."""


def test_every_drill_fails_on_some_set_up() -> None:
    assert {path.stem for path in TWINS} | IN_NAMESPACES == {path.stem for path in (PLAYBOOKS / "drills").glob("*.yml")}


@pytest.mark.parametrize("path", TWINS, ids=lambda path: path.stem)
def test_the_play_of_the_other_set_up_is_valid(path: Path, tmp_path: Path) -> None:
    case = read_twin(path)
    re.compile(case["found"])
    write_twin(path, tmp_path)
    name = f"drills/{path.stem}"
    sound, twin = (all_plans(load_lab(HA, [name], playbooks)) for playbooks in (PLAYBOOKS, tmp_path))
    assert [one.title for one in sound] == [one.title for one in twin]
    assert not any(one.lacks for one in twin)

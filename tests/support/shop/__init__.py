"""The lesson stacks/shop, with further files of its stack that make tests of it shorter or possible."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.check_cases import PLAYBOOKS

PLAY = "stacks/shop"
BROKEN = Path(__file__).parents[2] / "engine" / "stacks" / "broken"
"""Ways of breaking it; each is found by the statements that follow from the stack's files."""


def shop_with(folder: Path, *names: str) -> Path:
    """A folder of plays in `folder` with the shop, whose stack has these files of this package behind its own."""
    playbooks = folder / "playbooks"
    shutil.copytree(PLAYBOOKS / "stacks", playbooks / "stacks")
    for name in names:
        shutil.copy(Path(__file__).with_name(name), playbooks / "stacks" / "shop")
    files = ", ".join(f"shop/{name}" for name in ("stack.yml", *names))
    play = playbooks / f"{PLAY}.yml"
    text = play.read_text()
    assert "files: shop/stack.yml" in text
    play.write_text(text.replace("files: shop/stack.yml", f"files: [{files}]"))
    return playbooks

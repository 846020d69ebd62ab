"""The commands, files and programs that the documentation shows, as it shows them."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

from clusterlab.cli.verbose import without_flag
from clusterlab.model import play_names

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
LESSONS = play_names(ROOT / "playbooks")
_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Each fenced block of a language: where it is, and its text."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            if found[2] == language:
                line = text[: found.start()].count("\n") + 1
                yield f"{document.name}:{line}", textwrap.dedent(found[3])


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each use of clusterlab and make in a block of commands."""
    for place, text in blocks("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\|\||[|;]", re.sub(r"\s#.*$|^#.*$", "", line)):
                if part.split()[:1] in (["clusterlab"], ["make"]):
                    yield place, shlex.split(part)


def of_clusterlab() -> list[tuple[str, list[str]]]:
    """Those of clusterlab."""
    return [(place, words) for place, words in commands() if words[0] == "clusterlab"]


def needs_no_host(words: list[str]) -> bool:
    """Whether a command can be run as it stands, on files alone."""
    verb, *rest = without_flag(words)[0][1:]
    alone = {
        "test-cluster": "--list",
        "doctor": "--explain",
        "run": "--dry-run",
        "check": "--dry-run",
        "up": "--dry-run",
    }
    if verb == "learn":
        return not rest or "--solution" in rest
    return verb in ("validate", "explain", "schema", "faults", "labs") or alone.get(verb, "-") in rest


def furnish(folder: Path) -> None:
    """Make a folder as the guides have it: the lessons, and a person's own stack file.

    Its inventory is the caller's.
    """
    (folder / "playbooks").symlink_to(ROOT / "playbooks")
    (folder / "shop").mkdir()
    shop = ROOT / "playbooks/stacks/shop"
    (folder / "shop/stack.yml").write_text((shop / "stack.yml").read_text())
    for file in shop.iterdir():
        if not (folder / "shop" / file.name).exists():
            (folder / "shop" / file.name).symlink_to(file)
    for file in (folder / "shop").iterdir():
        (folder / file.name).symlink_to(file)

"""Which cases break which play, and which statements then fail: python -m tests.bench.broken [--statements]

A case is a file in tests/engine/plays/broken (namespaces) or tests/lab/broken (virtual machines). It ends with 1 when a
statement of a play fails in no case, unless UNBROKEN says why.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clusterlab.model import load_lab
from tests.support.check_cases import PLAYBOOKS, case_files, read_case

ROOT = Path(__file__).parents[2]

FOLDERS = {"namespaces": ROOT / "tests" / "engine" / "plays" / "broken", "qemu": ROOT / "tests" / "lab" / "broken"}
UNBROKEN = {
    ("volumes/bind", "container and host see the same file system"): "an engine mounts what its host has, or nothing",
}
"""Statements that no case breaks, and why."""

Broken = dict[tuple[str, str], list[str]]


def broken() -> Broken:
    """Of each statement, by play and title, the cases in which it fails, is blocked or cannot be asked."""
    found: Broken = defaultdict(list)
    for kind, folder in FOLDERS.items():
        for path in case_files(folder):
            case = read_case(path)
            for play in case["plays"]:
                for item in case["expect"]:
                    if item["outcome"] in ("fail", "blocked", "error"):
                        found[play, item["check"]].append(f"{path.stem} ({kind})")
    return found


def main(arguments: list[str]) -> int:
    plays = load_lab(ROOT / "inventory" / "default.yml", [], PLAYBOOKS).plays
    found = broken()
    table = Table("play", "broken by", box=None, pad_edge=False)
    missing = []
    for name, play in plays.items():
        titles = [check.title for check in play.checks]
        cases = dict.fromkeys(case for title in titles for case in found.get((name, title), []))
        table.add_row(name, ", ".join(cases) or Text("nothing", "red"))
        for title in titles:
            if "--statements" in arguments:
                why = UNBROKEN.get((name, title), "")
                table.add_row(Text(f"  {title}", "dim"), ", ".join(found.get((name, title), [])) or Text(why, "cyan"))
            if (name, title) not in found and (name, title) not in UNBROKEN:
                missing.append(f"{name}: {title}")
    unknown = {f"{name}: {title}" for name, title in found} - {
        f"{n}: {c.title}" for n, p in plays.items() for c in p.checks
    }
    console = Console()
    console.print(table)
    statements = sum(len(play.checks) for play in plays.values())
    console.print(f"\n{len(plays)} plays, {statements} statements, {len(missing)} of them broken by no case")
    for text in missing:
        console.print(Text(f"broken by no case: {text}"), soft_wrap=True)
    for text in sorted(unknown):
        console.print(Text(f"no play has the statement of a case: {text}"), soft_wrap=True)
    return 1 if missing or unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Which lesson is proven on which kind of machines: a table from the results of runs.

    clusterlab run --json qemu.json; clusterlab run -i namespaces --json namespaces.json
    python -m tests.bench.coverage qemu=qemu.json namespaces=namespaces.json

Each cell says how many of the lesson's statements had which outcome; with --statements each of them is shown below its
lesson. It ends with 1 when a statement failed or could
not be asked, or when a lesson is proven on none of the kinds: each of its statements must hold on one at least.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clusterlab.model import play_names
from clusterlab.results import Outcome

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
_GOOD = (Outcome.PASS, Outcome.FLAKY)
_STYLES = {Outcome.PASS: "green", Outcome.FLAKY: "yellow", Outcome.FAIL: "bold red", Outcome.ERROR: "bold magenta"}

Runs = Mapping[str, Sequence[Mapping[str, Any]]]
"""The results of each kind of machines."""


def table(runs: Runs, plays: Sequence[str], statements: bool) -> Table:
    """Lessons down, kinds of machines across; with `statements` also each of them."""
    shown = Table("lesson", *runs, "proven", box=None, pad_edge=False)
    for play in plays:
        missing = unproven(runs, play)
        mark = Text("✘", "bold red") if missing else Text("✔", "green")
        shown.add_row(play, *(_cell(results, play) for results in runs.values()), mark)
        if statements:
            for check in _checks(runs, play):
                cells = (_outcome(results, play, check) for results in runs.values())
                mark = Text("✘", "red") if check in missing else Text("✔", "green")
                shown.add_row(Text(f"  {check}", "dim"), *cells, mark)
    return shown


def _checks(runs: Runs, play: str) -> list[str]:
    found = [result["check"] for results in runs.values() for result in results if result["play"] == play]
    return list(dict.fromkeys(found))


def unproven(runs: Runs, play: str) -> list[str]:
    """The statements of a lesson that hold nowhere, or fail or cannot be asked somewhere; "all" when none was asked."""
    outcomes: dict[str, set[Outcome]] = {}
    for results in runs.values():
        for result in results:
            if result["play"] == play:
                outcomes.setdefault(result["check"], set()).add(Outcome(result["outcome"]))
    bad = {Outcome.FAIL, Outcome.ERROR}
    if not outcomes:
        return ["all"]
    return [check for check, seen in outcomes.items() if seen & bad or not seen & set(_GOOD)]


def _cell(results: Sequence[Mapping[str, Any]], play: str) -> Text:
    counts = Counter(Outcome(result["outcome"]) for result in results if result["play"] == play)
    parts = [(f"{counts[kind]} {kind.value}", _STYLES.get(kind, "cyan")) for kind in Outcome if counts[kind]]
    text = Text(", ").join(Text(said, style) for said, style in parts)
    return text if parts else Text("not run", "dim")


def _outcome(results: Sequence[Mapping[str, Any]], play: str, check: str) -> Text:
    found = [Outcome(one["outcome"]) for one in results if (one["play"], one["check"]) == (play, check)]
    return Text(", ".join(found), _STYLES.get(found[0], "cyan")) if found else Text("not run", "dim")


def lessons(folder: Path) -> list[str]:
    """The names of all plays below a folder."""
    return play_names(folder)


def _kind(argument: str) -> tuple[str, list[Any]]:
    kind, _, file = argument.partition("=")
    if not kind or not file:
        raise argparse.ArgumentTypeError(f"'{argument}' is not KIND=RESULTS.json")
    return kind, json.loads(Path(file).read_text(encoding="utf-8"))["results"]


def main() -> int:
    parser = argparse.ArgumentParser(description="Which lesson is proven on which kind of machines.")
    parser.add_argument("runs", nargs="+", type=_kind, metavar="KIND=RESULTS.json")
    parser.add_argument("--statements", action="store_true", help="show each statement below its lesson")
    parser.add_argument("--playbooks", type=Path, default=PLAYBOOKS, help="the lessons that there are")
    given = parser.parse_args()
    runs = dict(given.runs)
    plays = lessons(given.playbooks)
    console = Console()
    console.print(table(runs, plays, given.statements))
    missing = {play: unproven(runs, play) for play in plays}
    console.print(f"\n{len(plays)} lessons, {sum(not checks for checks in missing.values())} of them proven")
    for play, checks in missing.items():
        for check in checks:
            console.print(Text(f"not proven: {play}: {check}"), soft_wrap=True)
    return 1 if any(missing.values()) or not plays else 0


if __name__ == "__main__":
    sys.exit(main())

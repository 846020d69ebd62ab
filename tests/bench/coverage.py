"""Which lesson is proven on which kind of machines: a table from the results of runs.

    clusterlab run --json qemu.json; clusterlab run -i namespaces --json namespaces.json
    python tests/bench/coverage.py qemu=qemu.json namespaces=namespaces.json

Each cell says how many of the lesson's statements had which outcome. It ends with 1 when a statement failed or could
not be asked, or when a lesson is proven on none of the kinds: each of its statements must hold on one at least.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clusterlab.checks.result import Outcome

_GOOD = (Outcome.PASS, Outcome.FLAKY)
_STYLES = {Outcome.PASS: "green", Outcome.FLAKY: "yellow", Outcome.FAIL: "bold red", Outcome.ERROR: "bold magenta"}

Runs = Mapping[str, Sequence[Mapping[str, Any]]]
"""The results of each kind of machines."""


def table(runs: Runs) -> Table:
    """Lessons down, kinds of machines across."""
    shown = Table("lesson", *runs, "proven", box=None, pad_edge=False)
    for play in dict.fromkeys(result["play"] for results in runs.values() for result in results):
        missing = unproven(runs, play)
        mark = Text("✘", "bold red") if missing else Text("✔", "green")
        shown.add_row(play, *(_cell(results, play) for results in runs.values()), mark)
    return shown


def unproven(runs: Runs, play: str) -> list[str]:
    """The statements of a lesson that hold nowhere, or fail or cannot be asked somewhere."""
    outcomes: dict[str, set[Outcome]] = {}
    for results in runs.values():
        for result in results:
            if result["play"] == play:
                outcomes.setdefault(result["check"], set()).add(Outcome(result["outcome"]))
    bad = {Outcome.FAIL, Outcome.ERROR}
    return [check for check, seen in outcomes.items() if seen & bad or not seen & set(_GOOD)]


def _cell(results: Sequence[Mapping[str, Any]], play: str) -> Text:
    counts = Counter(Outcome(result["outcome"]) for result in results if result["play"] == play)
    parts = [(f"{counts[kind]} {kind.value}", _STYLES.get(kind, "cyan")) for kind in Outcome if counts[kind]]
    text = Text(", ").join(Text(said, style) for said, style in parts)
    return text if parts else Text("not run", "dim")


def main(arguments: Sequence[str]) -> int:
    named = [argument.partition("=") for argument in arguments]
    if not named or not all(kind and file for kind, _, file in named):
        print("usage: coverage.py KIND=RESULTS.json ...", file=sys.stderr)
        return 2
    runs = {kind: json.loads(Path(file).read_text(encoding="utf-8"))["results"] for kind, _, file in named}
    console = Console()
    console.print(table(runs))
    plays = dict.fromkeys(result["play"] for results in runs.values() for result in results)
    missing = [(play, check) for play in plays for check in unproven(runs, play)]
    console.print(f"\n{len(plays)} lessons, {len(plays) - len({play for play, _ in missing})} of them proven")
    for play, check in missing:
        console.print(Text(f"not proven: {play}: {check}"), soft_wrap=True)
    return 1 if missing or not plays else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

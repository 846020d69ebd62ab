"""Where the time of runs went, as a table: their stages, the checks of each play, and the longest chain of checks.

    .venv/bin/clusterlab run --json after.json
    .venv/bin/python -m tests.bench.stages before=before.json after=after.json

Each column is a run by the name before the `=`. Checks run side by side, so the sum of a play's is more than they kept
the run waiting for.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def main(arguments: Sequence[str]) -> None:
    runs = {name: json.loads(Path(file).read_text()) for name, _, file in (one.partition("=") for one in arguments)}
    print("\n".join(table(runs)))


def table(runs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The lines of a table in Markdown; what a run has not is a dash."""
    columns = {name: measures(run) for name, run in runs.items()}
    rows = list(dict.fromkeys(row for column in columns.values() for row in column))
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    return lines + [f"| {row} | {' | '.join(column.get(row, '-') for column in columns.values())} |" for row in rows]


def measures(run: Mapping[str, Any]) -> dict[str, str]:
    """The rows of one run."""
    outcomes = Counter(one["outcome"] for one in run["results"])
    found = {"statements": ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))}
    found |= {name: _seconds(took) for name, took in run["stages"].items()}
    found["all"] = _seconds(run["seconds"])
    if checks := run["chain"]["checks"]:
        plays = ", ".join(dict.fromkeys(one["play"] for one in checks))
        found["longest chain of checks"] = f"{_seconds(run['chain']['seconds'])} ({plays})"
    for play in dict.fromkeys(one["play"] for one in run["results"]):
        own = [one["seconds"] for one in run["results"] if one["play"] == play]
        found[f"{play}: its checks, and the longest"] = f"{_seconds(sum(own))}, {_seconds(max(own))}"
    return found


def _seconds(took: float) -> str:
    return f"{took:.0f} s" if took >= 10 else f"{took:.1f} s"


if __name__ == "__main__":
    main(sys.argv[1:])

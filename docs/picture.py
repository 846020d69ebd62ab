"""Draw the terminal output of a run as SVG: python docs/picture.py RESULTS.json PICTURE.svg

The results come from `clusterlab run --json RESULTS.json`; the picture in the README is made this way.
"""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

from clusterlab.checks.result import Chain, Evidence, Outcome, Result
from rich.console import Console

from clusterlab.reports.summary import Run
from clusterlab.reports.terminal import show_results


def recorded(document: dict[str, object]) -> Run:
    """The run that a `--json` document describes."""
    run = Run(str(document["lab"]), str(document["verb"]))
    run.stages = dict(document["stages"])  # type: ignore[call-overload]
    for item in document["results"]:  # type: ignore[attr-defined]
        evidence = tuple(Evidence(**one) for one in item.pop("evidence"))
        run.results.append(Result(**{**item, "outcome": Outcome(item["outcome"]), "evidence": evidence}))
    known = {(result.play, result.check): result for result in run.results}
    run.seconds = float(str(document["seconds"]))
    run.chain = Chain(tuple(known[one["play"], one["check"]] for one in document["chain"]["checks"]))  # type: ignore[index]
    return run


def main(results: str, picture: str) -> None:
    console = Console(record=True, width=100, file=io.StringIO(), force_terminal=True)
    run = recorded(json.loads(Path(results).read_text()))
    plays = " ".join(dict.fromkeys(result.play for result in run.results))
    console.print(f"[bold]$[/bold] clusterlab {run.verb} {plays}")
    show_results(console, run)
    svg = console.export_svg(title="clusterlab")
    own = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # fonts of the reader's own machine do
    Path(picture).write_text(own)


main(*sys.argv[1:])

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clusterlab.cli.verb import INVENTORY, JSON, Call, err, out, verb
from clusterlab.pipeline.lock import Unlocked

if TYPE_CHECKING:
    from clusterlab.nightly.history import PastRun
    from clusterlab.nightly.nightly_run import Trend

LAB = "the lab's name, when its inventory is gone"


@verb(
    Unlocked("reads only"),
    {
        "title": "a check, or a part of its play and title",
        "inventory": INVENTORY,
        "lab": LAB,
        "json": JSON,
        "last": "how many runs",
    },
)
def history(call: Call, title: str = "", inventory: str = "", lab: str = "", json: str = "", last: int = 20) -> None:
    """Show the outcomes of nightly runs, or of a check, over time."""
    from clusterlab.cli.session import lab_name
    from clusterlab.errors import UsageError
    from clusterlab.nightly.record import history as open_history
    from clusterlab.nightly.runs import Runs
    from clusterlab.reports.summary import write_json

    if last < 1:
        raise UsageError("--last must be at least 1", remedy="As in --last 20.")
    runs = Runs(lab_name(inventory, lab))
    if not runs.folder.is_dir():
        raise UsageError(f"lab {runs.lab} has no runs", remedy="`clusterlab nightly` creates one.")
    with open_history(runs) as past:
        for note in past.notes:
            err().print(note, soft_wrap=True, highlight=False)
        checks = [check for check in past.checks() if title.lower() in str(check).lower()]
        if title and not checks:
            known = "`clusterlab history` lists them all."
            raise UsageError(f"no check of lab {runs.lab} has {title!r} in its name", remedy=known)
        trends = [past.trend(check, last) for check in checks]
        past_runs = [(run, run.outcome, run.seconds) for run in past.runs(last)]
        if title and len(checks) == 1:
            past_runs = [(item.run, item.outcome.value, item.seconds) for item in past.series(checks[0], last)]
    if json:
        write_json(Path(json), _document(runs.lab, past_runs, trends))
    if json != "-":
        _show(past_runs, trends)


def _document(lab: str, past_runs: list[tuple[PastRun, str, float]], trends: list[Trend]) -> dict[str, object]:
    from dataclasses import asdict

    checks = [{**asdict(one), "failing_since": one.failing_since and one.failing_since.isoformat()} for one in trends]
    shown = [
        {**asdict(run), "started": run.started.isoformat(), "outcome": outcome, "seconds": took}
        for run, outcome, took in past_runs
    ]
    return {"lab": lab, "runs": shown, "checks": checks}


def _show(past_runs: list[tuple[PastRun, str, float]], trends: list[Trend]) -> None:
    from clusterlab.reports.nightly import show_trends
    from clusterlab.reports.progress import seconds_text
    from clusterlab.reports.tables import show_rows

    rows = [
        {"number": str(run.number), "run": run.run, "outcome": outcome, "took": seconds_text(took)}
        for run, outcome, took in past_runs
    ]
    show_rows(out(), ["number", "run", "outcome", "took"], rows)
    out().print()
    show_trends(out(), trends)

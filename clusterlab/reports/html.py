"""A nightly run as one HTML page that needs nothing else.

No script, no font, no picture from elsewhere.

Everything that a lab said is escaped, since a host may print anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from clusterlab.nightly.nightly_run import Changes, NightlyRun, Trend
from clusterlab.pipeline.stages import Stage
from clusterlab.redaction import secrets_text
from clusterlab.reports.marks import MARKS, VERDICTS
from clusterlab.reports.nodes import squares
from clusterlab.reports.picture import draw
from clusterlab.reports.progress import seconds_text
from clusterlab.reports.reach import label, links, matrix
from clusterlab.reports.timeline import draw_timeline
from clusterlab.reports.verdict import blocking, proven
from clusterlab.results import Link, Outcome, Result

_SLOWER = 3.0  # times the median; less varies by itself
_SLOW_SECONDS = 2.0
_SLOW_RUNS = 4  # this one included; of fewer nobody knows what is usual
_TALL = 20  # pixels of the bars of durations


@dataclass(frozen=True)
class Bar:
    """One duration in a row of bars; `height` in pixels."""

    height: int
    outcome: str


@dataclass(frozen=True)
class CheckRow:
    """A check with what the history says of it."""

    result: Result
    trend: Trend | None
    anchor: str

    @property
    def slower(self) -> bool:
        """Much slower than it usually is."""
        usual = self.trend.median if self.trend and len(self.trend.seconds) >= _SLOW_RUNS else 0.0
        return self.result.seconds > max(usual * _SLOWER, usual + _SLOW_SECONDS) if usual else False

    @property
    def bars(self) -> list[Bar]:
        if self.trend is None:
            return []
        most = max(self.trend.seconds, default=0.0) or 1.0
        pairs = zip(self.trend.seconds, self.trend.outcomes, strict=True)
        return [Bar(max(2, round(took / most * _TALL)), outcome) for took, outcome in pairs]


def page(run: NightlyRun) -> str:
    """The whole page."""
    rows = _rows(run)
    tables = squares(run.results)
    apart = {(table.play, table.check) for table in tables}  # too many links for one table and picture of all
    found = links([result for result in run.results if (result.play, result.check) not in apart])
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            state=run.outcome if run.finished else "unfinished",
            rows=rows,
            proven=proven(run.results),
            causes=blocking(run.results),
            redacted=secrets_text(sum(item.redacted for one in run.results for item in one.evidence)),
            bad=[row for row in rows if row.result.outcome in (Outcome.FAIL, Outcome.ERROR)],
            noted=[row for row in rows if row.result.outcome in (Outcome.FLAKY, Outcome.WAIVED)],
            changes=_changes(run.changes),
            anchors={(row.result.play, row.result.check): row.anchor for row in rows},
            drawing=draw(run.picture, found) if run.picture.hosts else None,
            matrix=matrix(found),
            tables=tables,
            cell=_cell,
            drills=[(row, draw_timeline(row.result.timeline)) for row in rows if row.result.timeline],
            stage_share=_stage_share(run.stages),
        )
    )


def _rows(run: NightlyRun) -> list[CheckRow]:
    trends = {(trend.play, trend.check): trend for trend in run.trends}
    return [
        CheckRow(result, trends.get((result.play, result.check)), f"check-{index}")
        for index, result in enumerate(run.results, 1)
    ]


def _changes(changes: Changes | None) -> list[tuple[str, str, Any]]:
    """Title, outcome for the colour, and checks, for each kind of change found."""
    if changes is None:
        return []
    kinds = [
        ("New failures", "fail", changes.newly_failing),
        ("New passes", "pass", changes.newly_passing),
        ("New flaky statements", "flaky", changes.newly_flaky),
        ("Still failing", "fail", changes.still_failing),
        ("New checks", "unsupported", changes.appeared),
        ("Removed checks", "unsupported", changes.gone),
    ]
    return [(title, outcome, checks) for title, outcome, checks in kinds if checks]


@dataclass(frozen=True)
class Cell:
    """A cell of the matrix.

    What was expected and what was seen, as marks and in words.
    """

    text: str
    css: str
    words: str


def _cell(link: Link | None) -> Cell:
    if link is None:
        return Cell("", "none", "not checked")
    wanted = "✔" if link.wanted else "⊘"
    seen = {True: "✔", False: "⊘", None: "?"}[link.seen]
    words = {True: "reached", False: "not reached", None: "could not be checked"}[link.seen]
    css = "bad" if link.differs else ("good" if link.wanted else "apart")
    expected = "reached" if link.wanted else "kept apart"
    return Cell(
        f"{wanted} {seen}", css, f"{link.source} to {label(link)}: expected {expected}, seen {words} ({link.found})"
    )


def _stage_share(stages: Sequence[Stage]) -> dict[str, int]:
    """The percentage that each stage has of the longest one."""
    most = max((stage.seconds for stage in stages), default=0.0) or 1.0
    return {stage.name: round(stage.seconds / most * 100) for stage in stages}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("clusterlab.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"seconds": seconds_text, "moment": _moment, "secrets": secrets_text}
    environment.filters |= {"mark": MARKS.__getitem__, "verdict": VERDICTS.__getitem__}
    return environment


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")

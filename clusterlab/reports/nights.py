"""Nightly runs, their history and what is left over, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from clusterlab.nightly.night import Changes, Night, Trend
from clusterlab.pipeline.stages import Stage
from clusterlab.reports.marks import MARKS, STYLES, VERDICTS
from clusterlab.reports.progress import seconds_text
from clusterlab.reports.terminal import show_statements
from clusterlab.reports.verdict import proven


def show_night(console: Console, night: Night) -> None:
    """Results with their evidence, the stages, what changed, what to know, and the verdict last."""
    show_statements(console, night.results)
    console.print()
    for stage in night.stages:
        _show_stage(console, stage)
    if night.changes is not None:
        show_changes(console, night.changes)
    for note in night.notes:
        console.print(Text.assemble(("• ", "yellow"), note), soft_wrap=True)
    verdict = (f"{MARKS[night.outcome]} {night.lab}: {VERDICTS[night.outcome].lower()}", STYLES[night.outcome])
    console.print(
        Text.assemble(verdict, f": {proven(night.results)}", (f"  ({seconds_text(night.seconds)})", "dim")),
        soft_wrap=True,
    )


def _show_stage(console: Console, stage: Stage) -> None:
    style = STYLES[stage.outcome]
    text = Text.assemble("  ", (MARKS[stage.outcome], style), f" {stage.name:<12} ")
    text.append(f"{seconds_text(stage.seconds):>12}", "dim")
    console.print(text.append(f"  {stage.message}"), soft_wrap=True)
    for more, look in ((stage.detail, "dim"), (stage.remedy, "yellow")):
        for line in more.splitlines():
            console.print(Text(f"    {line}", look), soft_wrap=True)


def show_changes(console: Console, changes: Changes) -> None:
    """What differs from an earlier run."""
    console.print(Text(f"Since {changes.against}:" + ("" if changes.any else " nothing changed"), "bold"))
    for title, outcome, checks in (
        ("new failure", "fail", changes.newly_failing),
        ("new pass", "pass", changes.newly_passing),
        ("new flaky", "flaky", changes.newly_flaky),
        ("still failing", "fail", changes.still_failing),
        ("new", "unsupported", changes.appeared),
        ("removed", "unsupported", changes.gone),
    ):
        for check in checks:
            title_text = (f"{MARKS[outcome]} {title}", STYLES[outcome])
            console.print(Text.assemble("  ", title_text, f"  {check}"), soft_wrap=True)


def strip(outcomes: Sequence[str]) -> Text:
    """Outcomes over time, one mark each, the oldest first."""
    return Text.assemble(*((MARKS[outcome], STYLES[outcome]) for outcome in outcomes))


def show_trends(console: Console, trends: Sequence[Trend]) -> None:
    """One line per check: its outcomes, how often it was flaky, since when it fails."""
    titles = ["last runs", "flaky", "took", "usually", "check"]
    _show_table(console, titles, [_trend_cells(trend) for trend in trends])


def _trend_cells(trend: Trend) -> list[Text]:
    name = Text(f"{trend.play}: {trend.check}")
    if trend.failing_since is not None:
        name.append(f"  failing since {trend.failing_since:%Y-%m-%d %H:%M} UTC, {trend.failing_runs} runs", "red")
    took = seconds_text(trend.seconds[-1]) if trend.seconds else ""
    usually = seconds_text(trend.median) if trend.median else ""
    return [strip(trend.outcomes), Text(f"{trend.flake_rate:.0%}"), Text(took), Text(usually), name]


def show_rows(console: Console, titles: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    """A plain table; a column `outcome` has its mark and colour."""
    _show_table(console, titles, [[_cell(title, row[title]) for title in titles] for row in rows])


def _cell(title: str, value: str) -> Text:
    return Text(f"{MARKS[value]} {value}", STYLES[value]) if title == "outcome" else Text(value)


def _show_table(console: Console, titles: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """One line per row, never folded, so that other programs can read it too; the last column may be of any length."""
    cells = [[Text(title, "dim") for title in titles], *rows]
    widths = [max(row[column].cell_len for row in cells) for column in range(len(titles) - 1)]
    for row in cells:
        line = Text()
        for cell, width in zip(row, widths, strict=False):
            line.append_text(cell).append(" " * (width - cell.cell_len + 2))
        console.print(line.append_text(row[-1]), soft_wrap=True)


def bytes_text(size: int) -> str:
    """Bytes as a person reads them: 12 kB, 690 MB."""
    if not size:
        return ""
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def age_text(taken: datetime, now: datetime) -> str:
    """How long ago, in its largest unit: 3 min, 2 h, 5 d."""
    seconds = max(0, int((now - taken).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"

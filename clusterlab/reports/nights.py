"""Nights, their history and what is left over, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from clusterlab.reports.html import MARKS, VERDICTS
from clusterlab.reports.night import Changes, Night, Stage, Trend
from clusterlab.reports.progress import seconds_text
from clusterlab.reports.terminal import show_results

STYLES = {
    "pass": "green",
    "flaky": "yellow",
    "fail": "bold red",
    "error": "bold magenta",
    "unsupported": "cyan",
    "waived": "cyan",
    "unfinished": "bold magenta",
    "done": "green",
    "failed": "bold red",
    "skipped": "cyan",
    "interrupted": "bold magenta",
    "under way": "magenta",
}


def show_night(console: Console, night: Night) -> None:
    """Results with their evidence, the stages, what changed, what to know, and the verdict last."""
    show_results(console, night.as_run())
    console.print()
    for stage in night.stages:
        _show_stage(console, stage)
    if night.changes is not None:
        show_changes(console, night.changes)
    for note in night.notes:
        console.print(Text.assemble(("• ", "yellow"), note), soft_wrap=True)
    console.print(Text(f"{MARKS[night.outcome]} {night.lab}: {VERDICTS[night.outcome].lower()}", STYLES[night.outcome]))


def _show_stage(console: Console, stage: Stage) -> None:
    style = STYLES[stage.outcome]
    text = Text.assemble("  ", (MARKS[stage.outcome], style), f" {stage.name:<12} ")
    text.append(f"{seconds_text(stage.seconds):>12}", "dim")
    console.print(text.append(f"  {stage.message}"), soft_wrap=True)
    for more, look in ((stage.detail, "dim"), (stage.remedy, "yellow")):
        if more:
            console.print(Padding(Text(more, look), (0, 0, 0, 4)), soft_wrap=True)


def show_changes(console: Console, changes: Changes) -> None:
    """What differs from an earlier run."""
    console.print(Text(f"Since {changes.against}:" + ("" if changes.any else " nothing changed"), "bold"))
    for title, outcome, checks in (
        ("newly failing", "fail", changes.newly_failing),
        ("newly passing", "pass", changes.newly_passing),
        ("newly flaky", "flaky", changes.newly_flaky),
        ("still failing", "fail", changes.still_failing),
        ("new", "unsupported", changes.appeared),
        ("no longer there", "unsupported", changes.gone),
    ):
        for check in checks:
            told = (f"{MARKS[outcome]} {title}", STYLES[outcome])
            console.print(Text.assemble("  ", told, f"  {check}"), soft_wrap=True)


def strip(outcomes: Sequence[str]) -> Text:
    """Outcomes over time, one mark each, the oldest first."""
    return Text.assemble(*((MARKS[outcome], STYLES[outcome]) for outcome in outcomes))


def show_trends(console: Console, trends: Sequence[Trend]) -> None:
    """One line per check: its outcomes, how often it was flaky, since when it fails."""
    rows = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    for title in ("last runs", "flaky", "took", "usually", "check"):
        rows.add_column(title, justify="right" if title in ("flaky", "took", "usually") else "left", overflow="fold")
    for trend in trends:
        name = Text(f"{trend.play}: {trend.check}")
        if trend.failing_since is not None:
            name.append(f"  failing since {trend.failing_since:%Y-%m-%d %H:%M} UTC, {trend.failing_runs} runs", "red")
        took = seconds_text(trend.seconds[-1]) if trend.seconds else ""
        usually = seconds_text(trend.median) if trend.median else ""
        rows.add_row(strip(trend.outcomes), f"{trend.flake_rate:.0%}", took, usually, name)
    console.print(rows)


def show_rows(console: Console, titles: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    """A plain table; a column `outcome` has its mark and colour."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(title, row[title]) for title in titles))
    console.print(table)


def _cell(title: str, value: str) -> Text:
    return Text(f"{MARKS[value]} {value}", STYLES[value]) if title == "outcome" else Text(value)


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

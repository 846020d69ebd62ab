"""Nightly runs and their history, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from clusterlab.nightly.nightly_run import Changes, NightlyRun, Trend
from clusterlab.pipeline.stages import Stage
from clusterlab.reports.marks import MARKS, STYLES, VERDICTS
from clusterlab.reports.progress import seconds_text
from clusterlab.reports.tables import show_table
from clusterlab.reports.terminal import show_statements
from clusterlab.reports.verdict import proven


def show_nightly_run(console: Console, run: NightlyRun) -> None:
    """Results with evidence, stages, changes, notes, and the verdict last."""
    show_statements(console, run.results)
    console.print()
    for stage in run.stages:
        _show_stage(console, stage)
    if run.changes is not None:
        show_changes(console, run.changes)
    if run.doctor is not None:
        show_doctor(console, run.doctor)
    for note in run.notes:
        console.print(Text.assemble(("• ", "yellow"), note), soft_wrap=True)
    verdict = (f"{MARKS[run.outcome]} {run.lab}: {VERDICTS[run.outcome].lower()}", STYLES[run.outcome])
    console.print(
        Text.assemble(verdict, f": {proven(run.results)}", (f"  ({seconds_text(run.seconds)})", "dim")),
        soft_wrap=True,
    )


def show_doctor(console: Console, document: Mapping[str, Any]) -> None:
    """One line for each of doctor's findings, and what could not be asked."""
    console.print(Text(f"Doctor: {document['verdict']}", "bold"), soft_wrap=True)
    for one in document["findings"]:
        muted = " (muted)" if one["muted"] else ""
        console.print(Text(f"  {one['severity']} {one['code']}{muted}  {one['cause']}"), soft_wrap=True)
    for reason in dict.fromkeys(f"{one['subject']}: {one['reason']}" for one in document["unknown"]):
        console.print(Text(f"  unknown  {reason}"), soft_wrap=True)


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
    show_table(console, titles, [_trend_cells(trend) for trend in trends])


def _trend_cells(trend: Trend) -> list[Text]:
    name = Text(f"{trend.play}: {trend.check}")
    if trend.failing_since is not None:
        name.append(f"  failing since {trend.failing_since:%Y-%m-%d %H:%M} UTC, {trend.failing_runs} runs", "red")
    took = seconds_text(trend.seconds[-1]) if trend.seconds else ""
    usually = seconds_text(trend.median) if trend.median else ""
    return [strip(trend.outcomes), Text(f"{trend.flake_rate:.0%}"), Text(took), Text(usually), name]

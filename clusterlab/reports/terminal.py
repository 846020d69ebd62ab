"""Results, statuses and errors on a terminal; readable without colour too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from textwrap import indent

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from clusterlab.errors import ClusterlabError, Several
from clusterlab.machines.base import MachineStatus
from clusterlab.redaction import secrets_text
from clusterlab.reports.marks import MARKS, STYLES
from clusterlab.reports.node_tables import show_nodes
from clusterlab.reports.progress import seconds_text
from clusterlab.reports.summary import Run
from clusterlab.reports.timeline import show_timeline
from clusterlab.reports.verdict import blocking, proven
from clusterlab.results import Cause, Evidence, Outcome, Result

_INCOMPLETE = {"apply": "did not make every change", "provision": "did not make every change"}
_OUTPUT_LINES = 12  # of a command's output shown per probe; the reports have all of it


def show_results(console: Console, run: Run) -> None:
    """Every statement by play, the verdict, and the time it took.

    With the evidence of those that do not simply pass.
    """
    show_statements(console, run.results)
    show_nodes(console, run.results)
    console.print()
    console.print(_summary(run), soft_wrap=True)
    if run.stretch is not None:
        console.print(_time(run), soft_wrap=True)


def show_statements(console: Console, results: Sequence[Result]) -> None:
    """Every statement by play, with the evidence of those that do not simply pass."""
    causes = blocking(results)
    for play, group in groupby(results, key=lambda result: result.play):
        console.print()
        console.print(Text(play, style="bold underline"))
        for result in group:
            console.print(_statement(result), soft_wrap=True)
            if result.outcome in (Outcome.UNSUPPORTED, Outcome.NOT_RUN):
                console.print(Padding(Text(result.hint, style="dim"), (0, 0, 0, 4)))
            elif result.outcome is Outcome.BLOCKED and result.cause in causes:
                console.print(Text(f"    by {_name(result.cause)}", style="dim"), soft_wrap=True)
            elif result.outcome is not Outcome.PASS:
                console.print(Padding(_why(result), (0, 0, 0, 4)))
            if result.timeline is not None:
                show_timeline(console, result.timeline)
    _show_causes(console, causes)


def _show_causes(console: Console, causes: Mapping[Cause, Sequence[Result]]) -> None:
    """Each failed precondition once, with its remedy and what it blocks."""
    if not causes:
        return
    from clusterlab.doctor.codes import code_of  # it takes long to import, and few runs have causes

    console.print()
    for cause, blocked in causes.items():
        mark, style = MARKS[Outcome.BLOCKED], STYLES[Outcome.BLOCKED]
        number = f"{len(blocked)} statement{'s' if len(blocked) != 1 else ''}"
        text = Text.assemble((f"{mark} {_name(cause)}", style), f": {cause.summary}; blocks {number}")
        console.print(text, soft_wrap=True)
        if cause.remedy:
            console.print(Text.assemble("  ", ("→ ", "yellow"), cause.remedy), soft_wrap=True)
        if code := code_of(cause.code):
            console.print(Text(f"  clusterlab doctor --explain {code}", style="dim"), soft_wrap=True)


def _name(cause: Cause) -> str:
    return f"{cause.subject} {cause.code}"


def _statement(result: Result) -> Text:
    mark, style = MARKS[result.outcome], STYLES[result.outcome]
    text = Text.assemble("  ", (mark, style), " ", result.check)
    if result.outcome is not Outcome.PASS:
        text.append(f"  {result.outcome.value}", style)
    asked = f", {result.attempts} attempts" if result.attempts > 1 else ""
    text.append(f"  {seconds_text(result.seconds)}{asked}", "dim")
    return text


def _why(result: Result) -> RenderableType:
    rows = Table.grid(padding=(0, 1))
    rows.add_column(style="dim", no_wrap=True, min_width=8)
    rows.add_column(overflow="fold")
    for evidence in [item for item in result.evidence if not item.holds] or result.evidence:
        for name, text in _evidence(evidence):
            rows.add_row(name, text)
    if result.hint:
        rows.add_row(Text("hint", "yellow"), Text(result.hint))
    for one in result.doctor:
        rows.add_row(Text("doctor", "yellow"), Text(f"{one.code}: {one.cause}"))
    return rows


def _evidence(evidence: Evidence) -> list[tuple[str, Text]]:
    rows = [
        ("where", Text(evidence.place)),
        ("command", Text(evidence.command)),
        ("wanted", Text(evidence.wanted)),
        ("found", Text(evidence.found, style="bold")),
        ("output", Text(_tail(evidence.output))),
        ("kept", Text(", ".join(evidence.logs), style="dim")),
        ("redacted", Text(secrets_text(evidence.redacted), style="dim")),
    ]
    return [(name, text) for name, text in rows if text.plain.strip()]


def _tail(output: str) -> str:
    lines = output.rstrip().splitlines()
    if len(lines) <= _OUTPUT_LINES:
        return "\n".join(lines)
    return "\n".join([f"… {len(lines) - _OUTPUT_LINES} lines before", *lines[-_OUTPUT_LINES:]])


def _summary(run: Run) -> Text:
    mark, style = MARKS[run.outcome], STYLES[run.outcome]
    refused = ", which --strict does not accept" if run.strict and run.outcome is Outcome.UNSUPPORTED else ""
    incomplete = f", but {run.failed_stage} {_INCOMPLETE.get(run.failed_stage, 'failed')}" if run.error else ""
    text = Text(f"{mark} {run.lab}: {proven(run.results)}{refused}{incomplete}", style)
    stages = ", ".join(f"{name} {seconds_text(took)}" for name, took in run.stages.items())
    text.append(f"  ({stages or seconds_text(run.seconds)})", "dim")
    return text


def _time(run: Run) -> Text:
    """All of it, and how well the checks ran side by side.

    Which of them had to wait for one another.
    """
    text = Text(f"{seconds_text(run.seconds)} in all; the checks took {run.stretch:.2f} times as long as ", "dim")
    text.append(f"their longest chain, {seconds_text(run.chain.seconds)}:")
    for result in run.chain.results:
        text.append(f"\n    {result.play}: {result.check}  {seconds_text(result.seconds)}")
    return text


_STATE = {"running": ("●", "green"), "starting": ("◐", "yellow"), "unreachable": ("●", "red")}


def show_status(console: Console, statuses: Sequence[MachineStatus]) -> None:
    """One line per host."""
    rows = Table.grid(padding=(0, 2))
    for status in statuses:
        mark, style = _STATE.get(status.state, ("○", "dim"))
        rows.add_row(Text(mark, style), Text(status.host, "bold"), Text(status.state, style), Text(status.detail))
    console.print(rows)


def show_error(console: Console, error: ClusterlabError) -> None:
    """What was wrong, what was last seen, and what to do."""
    for one in error.errors if isinstance(error, Several) else [error]:
        console.print(Text.assemble(("error: ", "bold red"), one.message), soft_wrap=True)
        if one.detail:
            console.print(Text(indent(_tail(one.detail), "    "), style="dim"), soft_wrap=True)
        if one.remedy:
            console.print(Text.assemble(("→ ", "yellow"), one.remedy), soft_wrap=True)
    if isinstance(error, Several) and error.remedy:
        console.print(Text.assemble(("→ ", "yellow"), error.remedy), soft_wrap=True)

"""Plans and their results: on a terminal and as JSON-compatible data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from textwrap import indent
from typing import Any

from rich.console import Console
from rich.text import Text

from clusterlab.plan.report import Report
from clusterlab.redaction import without_patterns
from clusterlab.resources.base import Change, Skipped

_ACTION = {"create": ("+", "green"), "remove": ("-", "red"), "replace": ("±", "yellow")}

_EXPORT = "--env NAME takes the value from your shell: export it first. The values are in the plays."


def show_plan(console: Console, changes: Sequence[Change], left_out: Sequence[Skipped] = ()) -> None:
    """Each change with its reason, its differences and the equivalent command."""
    for change in changes:
        mark, style = ("✘", "bold red") if change.blocked else _ACTION.get(change.action, ("~", "cyan"))
        console.print(Text.assemble((f"{mark} {change.action} ", style), (str(change.key), "bold")), soft_wrap=True)
        _indented(console, change.reason)
        for item in change.differences:
            _indented(console, str(item))
        if change.blocked:
            _indented(console, _blocked(change), "bold red")
        elif change.command:
            for command in change.commands:
                elsewhere = "" if command.host == change.key.host else f"   # on {command.host}"
                _indented(console, without_patterns(command.text) + elsewhere, "dim")
    if any(" --env" in change.command for change in changes if not change.blocked):
        console.print(Text.assemble(("→ ", "yellow"), _EXPORT), soft_wrap=True)
    for reason in dict.fromkeys(item.reason for item in left_out):
        console.print(Text.assemble(("– left out ", "cyan"), reason), soft_wrap=True)
        _indented(console, ", ".join(str(item.key) for item in left_out if item.reason == reason))
    console.print(Text(plan_summary(changes), style="bold"))


def show_kept(console: Console, kept: Sequence[Skipped]) -> None:
    """What stays on hosts, each with the reason."""
    for reason in dict.fromkeys(item.reason for item in kept):
        console.print(Text.assemble(("– kept ", "cyan"), reason), soft_wrap=True)
        _indented(console, ", ".join(str(item.key) for item in kept if item.reason == reason))
    console.print(Text("Nothing of the lab remains." if not kept else f"{len(kept)} kept.", style="bold"))


def _indented(console: Console, text: str, style: str = "") -> None:
    console.print(Text(indent(text, "    "), style=style), soft_wrap=True)


def _blocked(change: Change) -> str:
    return f"blocked: {change.blocked}" + (f" ({change.flag} allows it)" if change.flag else "")


def plan_summary(changes: Sequence[Change]) -> str:
    """One line: how many changes of each action, how many blocked."""
    if not changes:
        return "No changes: everything is up to date."
    counts = Counter(change.action for change in changes if not change.blocked)
    parts = [f"{number} to {action}" for action, number in counts.items()]
    blocked = sum(bool(change.blocked) for change in changes)
    parts += [f"{blocked} blocked"] if blocked else []
    return "Plan: " + ", ".join(parts) + "."


def show_report(console: Console, verb: str, report: Report) -> None:
    """What remains, what was not carried out and why, what to do next, and counts."""
    for done in report.done:
        for text in filter(None, (done.note, done.change.rest)):
            _headline(console, "–", "cyan", f"{done.change.key}", text)
    for failed in report.failed:
        _headline(console, "✘", "bold red", f"{failed.change.key}", failed.error.message)
        if failed.error.detail:
            _indented(console, failed.error.detail, "dim")
    for change in report.blocked:
        _headline(console, "✘", "bold red", f"{change.key}", _blocked(change))
        for item in change.differences:
            _indented(console, str(item))
    for skipped in report.skipped:
        because = "; ".join(map(str, skipped.because))
        _headline(console, "–", "yellow", f"{skipped.change.key}", f"not attempted, because of {because}")
    for change in report.unfinished:
        _headline(console, "?", "yellow", f"{change.key}", "was running when interrupted")
    for step in report.next_steps():
        console.print(Text.assemble(("→ ", "yellow"), step), soft_wrap=True)
    console.print(Text(f"{verb}: {report_summary(report)}", style="bold"), soft_wrap=True)


def _headline(console: Console, mark: str, style: str, key: str, text: str) -> None:
    console.print(Text.assemble((f"{mark} ", style), (key, "bold"), f"  {text}"), soft_wrap=True)


def report_summary(report: Report) -> str:
    """One line of numbers."""
    numbers = {
        "changed": len(report.done),
        "failed": len(report.failed),
        "blocked": len(report.blocked),
        "not attempted": len(report.skipped) + len(report.waiting),
        "unfinished": len(report.unfinished),
    }
    said = [f"{number} {what}" for what, number in numbers.items() if number]
    return ", ".join(said) if said else "no changes, everything is up to date"


def change_document(change: Change) -> dict[str, Any]:
    """A change as JSON-compatible data."""
    return {
        "host": change.key.host,
        "kind": change.key.kind,
        "name": change.key.name,
        "action": change.action,
        "reason": change.reason,
        "differences": [
            {"name": item.name, "wanted": _plain(item.wanted), "found": _plain(item.found)}
            for item in change.differences
        ],
        "command": without_patterns(change.command),
        "commands": [{"host": one.host, "command": without_patterns(one.text)} for one in change.commands if one.text],
        "blocked": change.blocked,
        "flag": change.flag,
        "rest": change.rest,
    }


def _plain(value: object) -> object:
    """JSON has no sets and tuples, and its keys are strings."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | None) else str(value)


def plan_document(lab: str, changes: Sequence[Change], left_out: Sequence[Skipped] = ()) -> dict[str, Any]:
    """A plan as JSON-compatible data."""
    return {
        "lab": lab,
        "verb": "plan",
        "changes": [change_document(change) for change in changes],
        "left_out": _reasons(left_out),
    }


def kept_document(kept: Sequence[Skipped]) -> dict[str, Any]:
    """What `deprovision` leaves on hosts, with the reasons, as JSON-compatible data."""
    return {"kept": _reasons(kept)}


def _reasons(items: Sequence[Skipped]) -> list[dict[str, str]]:
    return [{"resource": str(item.key), "reason": without_patterns(item.reason)} for item in items]


def report_document(lab: str, verb: str, report: Report, seconds: float) -> dict[str, Any]:
    """The results of a plan as JSON-compatible data."""
    return {
        "lab": lab,
        "verb": verb,
        "outcome": "pass" if report.ok else "error",
        "seconds": round(seconds, 3),
        "done": [
            {**change_document(one.change), "seconds": round(one.seconds, 3), "note": one.note} for one in report.done
        ],
        "failed": [
            {**change_document(one.change), "error": one.error.message, "remedy": one.error.remedy}
            for one in report.failed
        ],
        "blocked": [change_document(change) for change in report.blocked],
        "not_tried": [change_document(one.change) for one in report.skipped]
        + [change_document(change) for change in report.waiting],
        "unfinished": [change_document(change) for change in report.unfinished],
    }

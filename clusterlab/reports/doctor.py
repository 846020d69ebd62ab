"""The findings of doctor on a terminal; readable without colour too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from clusterlab.doctor.examination import Difference, Examination
from clusterlab.doctor.finding import Finding, Unknown
from clusterlab.reports.progress import seconds_text

_STYLES = {"error": "bold red", "warning": "yellow", "advice": "cyan"}
_MOST = 12  # pieces of evidence of one finding; the JSON has all of them


def show_examination(console: Console, run: Examination, difference: Difference | None = None) -> None:
    """Every finding with its evidence and fix, what is unknown, and the verdict."""
    for finding in run.findings:
        _show_finding(console, finding)
    for (subject, reason), codes in _grouped(run.unknown).items():
        head = Text.assemble(("UNKNOWN ", "bold magenta"), f"{subject}: {reason}")
        console.print(head, soft_wrap=True)
        remedy = next((one.remedy for one in run.unknown if one.subject == subject and one.reason == reason), "")
        console.print(Text(f"  codes     {', '.join(codes)}", style="dim"), soft_wrap=True)
        if remedy:
            console.print(Text.assemble("  remedy    ", remedy), soft_wrap=True)
    for note in run.muted.notes:
        console.print(Text(f"note: {note}", style="yellow"), soft_wrap=True)
    if difference is not None:
        _show_difference(console, difference)
    hosts = f"{len(run.hosts)} host{'s' if len(run.hosts) != 1 else ''}, {len(run.diagnosed.codes)} codes"
    console.print(Text(f"{hosts}: {run.verdict}  ({seconds_text(run.seconds)})"), soft_wrap=True)


def _show_finding(console: Console, finding: Finding) -> None:
    mark = f"{finding.severity.upper()} {finding.code}"
    console.print(Text.assemble((mark, _STYLES[finding.severity]), f"  {finding.cause}"), soft_wrap=True)
    width = max([len(one.host) for one in finding.evidence] + [8])
    for seen in finding.evidence[:_MOST]:
        wanted = f" (expected: {seen.wanted})" if seen.wanted and seen.wanted != seen.found else ""
        console.print(Text(f"  {seen.host:<{width}}  {seen.asked}: {seen.found}{wanted}"), soft_wrap=True)
    if len(finding.evidence) > _MOST:
        console.print(Text(f"  … {len(finding.evidence) - _MOST} more", style="dim"))
    if finding.explains:
        console.print(Text(f"  {'explains':<{width}}  {', '.join(finding.explains)}", style="dim"), soft_wrap=True)
    for fix in finding.fix:
        place = f"on {fix.host}: " if fix.host else ""
        console.print(Text.assemble(f"  {'fix':<{width}}  ", (f"{place}{fix.run}", "green")), soft_wrap=True)


def _grouped(unknown: Iterable[Unknown]) -> dict[tuple[str, str], list[str]]:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in unknown:
        groups[one.subject, one.reason].append(one.code)
    return {key: sorted(set(codes)) for key, codes in groups.items()}


def _show_difference(console: Console, difference: Difference) -> None:
    console.print(Text(f"since {difference.before}:"))
    rows = {
        "new": difference.new,
        "worse": difference.worse,
        "gone": difference.gone,
        "no longer checked": difference.no_longer_asked,
    }
    for name, keys in rows.items():
        for key in keys:
            console.print(Text(f"  {name:<16} {key}"), soft_wrap=True)
    if not any(rows.values()):
        console.print(Text("  nothing is different"))

"""The tables of nodes on a terminal.

A line for what holds everywhere, a table for what does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from clusterlab.reports.marks import MARKS, STYLES
from clusterlab.reports.nodes import Square, squares
from clusterlab.results import Link, Outcome, Result

_MARKS = {True: ("✔", "green"), False: ("✘", "bold red"), None: ("?", "yellow")}


def show_nodes(console: Console, results: Sequence[Result]) -> None:
    """Who reaches whom, for every statement about all pairs of nodes."""
    found = squares(results)
    if not found:
        return
    console.print()
    console.print(Text("Between the nodes", style="bold underline"))
    for square in found:
        console.print(_line(square), soft_wrap=True)
        if square.failing:
            console.print(Padding(_table(square), (0, 0, 0, 4)))


def _line(square: Square) -> Text:
    outcome = Outcome.FAIL if square.failing else Outcome.PASS
    text = Text.assemble("  ", (MARKS[outcome], STYLES[outcome]), f" {square.check}: ")
    if square.failing:
        return text.append("; ".join(square.sentences), "bold")
    return text.append(f"{len(square.nodes)} nodes, all {len(square.cells)} pairs", "dim")


def _table(square: Square) -> Table:
    """From down, to across."""
    table = Table(box=None, padding=(0, 1), header_style="dim")
    groups = square.groups
    table.add_column("from \\ to", style="dim", no_wrap=True)
    for group in groups:
        table.add_column(group.label, justify="center")
    for source in groups:
        table.add_row(source.label, *(_cell(square.seen(source, target)) for target in groups))
    return table


def _cell(link: Link | None) -> Text:
    if link is None:
        return Text("·", "dim")
    mark, style = _MARKS[link.seen]
    return Text(mark, style)

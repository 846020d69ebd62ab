"""Plain tables on a terminal, and sizes and ages as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from clusterlab.reports.marks import MARKS, STYLES


def show_rows(console: Console, titles: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    """A plain table; a column `outcome` has its mark and colour."""
    show_table(console, titles, [[_cell(title, row[title]) for title in titles] for row in rows])


def _cell(title: str, value: str) -> Text:
    return Text(f"{MARKS[value]} {value}", STYLES[value]) if title == "outcome" else Text(value)


def show_table(console: Console, titles: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """One line per row, never folded, so that other programs can read it too.

    The last column may be of any length.
    """
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

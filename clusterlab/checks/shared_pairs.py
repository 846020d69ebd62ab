"""What readers found of files that others wrote, for each pair of writer and reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from clusterlab.remote.completed import Completed
from clusterlab.results import Link

OK = "ok"
Pair = tuple[str, str]
"""The names of a writer and a reader."""
Cells = Mapping[Pair, str]
"""What became of pairs: OK, or what is wrong."""


def cell(path: str, file: str, text: str, completed: Completed) -> str:
    """What a reader of several files found of the one in which a writer wrote a line of text.

    All files begin with `path`, and no name of one with that of another.
    """
    errors = completed.stderr.splitlines()
    if text in completed.stdout.splitlines():
        return OK
    if said := next((line for line in errors if file in line), ""):
        return "no such file" if "No such file or directory" in said else said  # as the C library says it
    if not completed.ok and not any(path in line for line in errors):
        return completed.output or f"exit code {completed.exit}"
    return "reads nothing that it wrote"


def links(cells: Cells, pairs: Iterable[Pair]) -> list[Link]:
    """From each writer to its reader; one without a cell is unknown."""
    return [
        Link(*pair, "file", True, cells[pair] == OK if pair in cells else None, cells.get(pair, "")) for pair in pairs
    ]


def matrix(names: Sequence[str], cells: Cells) -> str:
    """Writers down, readers across."""
    rows = [["writer \\ reader", *names]]
    rows += [[writer, *(cells.get((writer, reader), "-") for reader in names)] for writer in names]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)

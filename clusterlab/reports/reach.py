"""Who reaches whom: the links in the evidence of a run, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clusterlab.results import Link, Outcome, Result


def links(results: Sequence[Result]) -> list[Link]:
    """All links that the results show.

    Of runs that were kept without links there are none.
    """
    return [link for result in results for link in _links_of(result)]


def _links_of(result: Result) -> Iterator[Link]:
    for evidence in result.evidence:
        if result.outcome is Outcome.FLAKY and not evidence.holds:
            continue  # the same was asked again at once, and passed
        yield from evidence.links


def label(link: Link) -> str:
    """What is reached, and how: the head of a column."""
    return f"{link.target} ({link.how})"


@dataclass(frozen=True)
class Matrix:
    """Places down, targets across.

    A cell is the link that differs from what is wanted, if any of them does.
    """

    sources: list[str]
    targets: list[str]
    cells: dict[tuple[str, str], Link]

    def cell(self, source: str, target: str) -> Link | None:
        return self.cells.get((source, target))


def matrix(found: Sequence[Link]) -> Matrix:
    """The links as a table, in the order in which they were first met.

    Steps may ask the same twice, with a change between: then the last answer counts, unless an earlier one differs.
    """
    cells: dict[tuple[str, str], Link] = {}
    for link in found:
        key = (link.source, label(link))
        if key not in cells or not cells[key].differs:
            cells[key] = link
    sources = dict.fromkeys(link.source for link in found)
    targets = dict.fromkeys(label(link) for link in found)
    return Matrix(list(sources), list(targets), cells)

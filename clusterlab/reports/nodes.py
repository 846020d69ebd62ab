"""Statements about all pairs of nodes, each as a table of nodes.

Nodes that behave alike are one row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from clusterlab.patterns import nodes_of, of_links, span
from clusterlab.reports.reach import links
from clusterlab.results import Link, Result

_FEW = 8
"""Up to this many nodes are shown one by one; of more, those that behave alike are one row and column."""


@dataclass(frozen=True)
class Group:
    """Nodes that reach the same, and are reached by the same."""

    nodes: tuple[str, ...]

    @property
    def label(self) -> str:
        return span(self.nodes)


@dataclass(frozen=True)
class Square:
    """What one statement shows of every pair of nodes."""

    play: str
    check: str
    how: str
    cells: Mapping[tuple[str, str], Link]

    @property
    def nodes(self) -> list[str]:
        return nodes_of(self.cells)

    @property
    def failing(self) -> list[Link]:
        return [link for link in self.cells.values() if link.differs]

    @property
    def sentences(self) -> list[str]:
        """Who does not reach whom, by the node at fault where there is one.

        Unknown pairs last.
        """
        unknown = dict.fromkeys(link.source for link in self.cells.values() if link.seen is None)
        said = of_links(self.cells.values())
        return [*said, f"not known for {', '.join(unknown)}"] if unknown else said

    @property
    def groups(self) -> list[Group]:
        """The nodes in their order; of many nodes those that behave alike together."""
        if len(self.nodes) <= _FEW:
            return [Group((node,)) for node in self.nodes]
        found: list[list[str]] = []
        for node in self.nodes:
            same = next((group for group in found if self._alike(group[0], node)), None)
            if same is None:
                found.append([node])
            else:
                same.append(node)
        return [Group(tuple(group)) for group in found]

    def seen(self, source: Group, target: Group) -> Link | None:
        """What was seen between two groups; within one, between two of its nodes."""
        pairs = ((one, other) for one in source.nodes for other in target.nodes if one != other)
        return next((self.cells[pair] for pair in pairs if pair in self.cells), None)

    def _alike(self, one: str, other: str) -> bool:
        rest = [node for node in self.nodes if node not in (one, other)]
        return self._cell(one, other) == self._cell(other, one) and all(
            self._cell(one, node) == self._cell(other, node) and self._cell(node, one) == self._cell(node, other)
            for node in rest
        )

    def _cell(self, source: str, target: str) -> bool | str | None:
        link = self.cells.get((source, target))
        return link.seen if link else "none"


def squares(results: Sequence[Result]) -> list[Square]:
    """One for each statement whose links are all pairs of its sources and targets.

    Tried in one way.
    """
    return [square for result in results for square in _of(result)]


def _of(result: Result) -> Iterator[Square]:
    found = links([result])
    cells = {(link.source, link.target): link for link in found}
    sources, targets = {source for source, _ in cells}, {target for _, target in cells}
    every = {(source, target) for source in sources for target in targets if source != target}
    nodes = len(sources) > 1 and bool(sources & targets)  # not two kinds of places, as of a statement and its control
    if nodes and len({link.how for link in found}) == 1 and cells.keys() == every:
        yield Square(result.play, result.check, found[0].how, cells)

"""Who does not reach whom, in sentences that name the node at fault.

Where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from clusterlab.results import Link

Pair = tuple[str, str]
_FEW = 3  # sentences about single nodes; of more, nodes that do not reach the same are named together
_OTHERS = 2  # that a node must be cut off from before it alone is named: of a pair nobody knows whose fault it is


@dataclass(frozen=True)
class Wording:
    """How each pattern is said."""

    cut_off: str = "{} is cut off: it reaches no other node, and no other node reaches it"
    unheard: str = "{} is not reached by any other node"
    silent: str = "{} reaches no other node"
    both: str = "{} and {} do not reach each other"
    one: str = "{} does not reach {}"
    several: str = "{} do not reach {}"
    none: str = "no node reaches any other"


REACHING = Wording()


def of_links(links: Iterable[Link], wording: Wording = REACHING) -> list[str]:
    """What the links that were seen to fail have in common."""
    known = list(links)
    failing = [(link.source, link.target) for link in known if link.seen is False]
    return sentences([(link.source, link.target) for link in known], failing, wording)


def sentences(pairs: Iterable[Pair], failing: Iterable[Pair], wording: Wording = REACHING) -> list[str]:
    """What the failing ones among all `pairs` have in common, widest pattern first.

    Pairs of source and target.

    A node that nobody reaches, or that reaches nobody, is named as such when at least two others show it.
    """
    known = [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]
    left = [pair for pair in dict.fromkeys(failing) if pair[0] != pair[1]]
    if left and len(left) == len(known) and len(nodes_of(known)) > _OTHERS:
        return [wording.none]
    found: list[str] = []
    while best := max(_wide(known, left, wording), key=lambda one: len(one[1]), default=None):
        found.append(best[0])
        left = [pair for pair in left if pair not in best[1]]
    single = list(_single(left, wording))
    return [*found, *(single if len(single) <= _FEW else _together(left, wording))]


def nodes_of(pairs: Iterable[Pair]) -> list[str]:
    """Every node, as first met."""
    return list(dict.fromkeys(node for pair in pairs for node in pair))


def span(nodes: Sequence[str]) -> str:
    """Several nodes as one word.

    The first and the last of them, and how many there are.
    """
    return ", ".join(nodes) if len(nodes) <= _OTHERS else f"{nodes[0]} ... {nodes[-1]} ({len(nodes)})"


def _wide(known: list[Pair], left: list[Pair], wording: Wording) -> Iterator[tuple[str, set[Pair]]]:
    for node in nodes_of(left):
        outward = {pair for pair in known if pair[0] == node}
        inward = {pair for pair in known if pair[1] == node}
        unheard = len(inward) >= _OTHERS and inward <= set(left)
        silent = len(outward) >= _OTHERS and outward <= set(left)
        if unheard and silent:
            yield wording.cut_off.format(node), inward | outward
        elif unheard:
            yield wording.unheard.format(node), inward
        elif silent:
            yield wording.silent.format(node), outward


def _single(left: list[Pair], wording: Wording) -> Iterator[str]:
    both = [pair for pair in left if pair[::-1] in left and pair[0] < pair[1]]
    for one, other in both:
        yield wording.both.format(one, other)
    rest = [pair for pair in left if pair not in both and pair[::-1] not in both]
    for source in dict.fromkeys(source for source, _ in rest):
        yield wording.one.format(source, ", ".join(target for one, target in rest if one == source))


def _together(left: list[Pair], wording: Wording) -> Iterator[str]:
    """The nodes that do not reach the same others, as one.

    Both directions in one sentence where they are alike.
    """
    sources: dict[tuple[str, ...], tuple[str, ...]] = {}
    for node in dict.fromkeys(source for source, _ in left):
        targets = tuple(sorted(target for source, target in left if source == node))
        sources[targets] = (*sources.get(targets, ()), node)
    for targets, nodes in sources.items():
        back = sources.get(tuple(sorted(nodes)))
        if back is None or sorted(back) != list(targets):
            yield (wording.several if len(nodes) > 1 else wording.one).format(span(nodes), span(targets))
        elif min(nodes) < min(targets):
            yield wording.both.format(span(nodes), span(targets))

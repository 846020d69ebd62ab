"""Who does not reach whom, said by the node at fault."""

from __future__ import annotations

from itertools import permutations

import pytest

from clusterlab.patterns import Wording, sentences

THREE = list(permutations(["a", "b", "c"], 2))
TWO = list(permutations(["a", "b"], 2))
CUT_OFF = "b is cut off: it reaches no other node, and no other node reaches it"


@pytest.mark.parametrize(
    ("pairs", "failing", "said"),
    [
        (THREE, [], []),
        (THREE, [pair for pair in THREE if "b" in pair], [CUT_OFF]),
        (THREE, [("a", "b"), ("c", "b")], ["b is not reached by any other node"]),
        (THREE, [("b", "a"), ("b", "c")], ["b reaches no other node"]),
        (THREE, [("a", "b")], ["a does not reach b"]),
        (THREE, [("a", "b"), ("b", "a")], ["a and b do not reach each other"]),
        (THREE, THREE, ["no node reaches any other"]),
        (TWO, [("a", "b")], ["a does not reach b"]),
        (TWO, TWO, ["a and b do not reach each other"]),
    ],
)  # fmt: skip
def test_the_widest_pattern_is_named(
    pairs: list[tuple[str, str]], failing: list[tuple[str, str]], said: list[str]
) -> None:
    assert sentences(pairs, failing) == said


def test_a_node_at_fault_and_another_pair_are_both_named() -> None:
    pairs = list(permutations("abcd", 2))
    failing = [("a", "d"), ("b", "d"), ("c", "d"), ("a", "b")]
    assert sentences(pairs, failing) == ["d is not reached by any other node", "a does not reach b"]


def test_of_two_nodes_neither_is_blamed_alone() -> None:
    """With two nodes every failure fills a row and a column: it says nothing of whose fault it is."""
    assert sentences(TWO, TWO, Wording(both="{} | {}")) == ["a | b"]

"""Tables of nodes: what they count as, how nodes that behave alike are grouped, and how they are shown."""

from __future__ import annotations

import io
from collections.abc import Set
from itertools import permutations

from rich.console import Console

from clusterlab.reports.html import page
from clusterlab.reports.node_tables import show_nodes
from clusterlab.reports.nodes import squares
from clusterlab.results import Evidence, Link, Outcome, Result
from tests.support.sample import night


def statement(names: list[str], failing: Set[tuple[str, str]], unknown: Set[tuple[str, str]] = frozenset()) -> Result:
    links = tuple(
        Link(one, other, "ping", True, None if (one, other) in unknown else (one, other) not in failing)
        for one, other in permutations(names, 2)
    )
    evidence = Evidence("somewhere", "ping", "all", "some", holds=not failing, links=links)
    outcome = Outcome.FAIL if failing else Outcome.PASS
    return Result("play", "every node reaches every other", "mesh", outcome, evidence=(evidence,))


def shown(*results: Result) -> str:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    show_nodes(console, results)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def test_what_holds_everywhere_is_one_line() -> None:
    text = shown(statement(["a", "b", "c"], set()))
    assert "every node reaches every other: 3 nodes, all 6 pairs" in text
    assert "from" not in text


def test_a_failing_column_is_named_and_shown() -> None:
    text = shown(statement(["a", "b", "c"], {("a", "b"), ("c", "b")}))
    assert "every node reaches every other: b is not reached by any other node" in text
    assert [line.split() for line in text.splitlines()[-3:]] == [
        ["a", "·", "✘", "✔"],
        ["b", "✔", "·", "✔"],
        ["c", "✔", "✘", "·"],
    ]


def test_of_many_nodes_those_that_behave_alike_share_a_row() -> None:
    names = [f"n{number}" for number in range(40)]
    failing = {(one, "n7") for one in names if one != "n7"}
    (square,) = squares([statement(names, failing)])
    assert [group.label for group in square.groups] == ["n0 ... n39 (39)", "n7"]
    text = shown(statement(names, failing))
    assert "n7 is not reached by any other node" in text
    assert len(text.splitlines()) == 6


def test_what_is_not_known_is_told_from_what_fails() -> None:
    text = shown(statement(["a", "b", "c"], set(), {("a", "b"), ("a", "c")}))
    assert "not known for a" in text
    assert "?" in text


def test_links_that_are_not_all_pairs_are_no_table() -> None:
    links = (Link("a", "b", "ping", True, True), Link("b", "c", "ping", True, True), Link("b", "a", "ping", True, True))
    evidence = Evidence("", "", "", "", links=links)
    assert squares([Result("play", "some", "ping", Outcome.PASS, evidence=(evidence,))]) == []


def test_a_negative_statement_and_its_control_are_no_table() -> None:
    links = (Link("a", "b", "ping", False, False), Link("c", "b", "ping", True, True))
    evidence = Evidence("", "", "", "", links=links)
    assert squares([Result("play", "some", "ping", Outcome.PASS, evidence=(evidence,))]) == []


def test_the_page_has_the_table_and_not_its_links_once_more() -> None:
    one = night()
    one.results = [statement(["a", "b", "c"], {("a", "b"), ("c", "b")})]
    text = page(one)
    assert "b is not reached by any other node" in text
    assert "Between the nodes" in text
    assert "Who reaches whom" not in text

"""Tables of nodes: what they count as, how nodes that behave alike are grouped, and how they are shown."""

from __future__ import annotations

import io
import os
from collections.abc import Set
from dataclasses import replace
from itertools import permutations
from pathlib import Path

from rich.console import Console

from clusterlab.reports.html import page
from clusterlab.reports.node_tables import show_nodes
from clusterlab.reports.nodes import squares
from clusterlab.results import Evidence, Link, Outcome, Result
from tests.support.sample import nightly_run


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
    one = nightly_run()
    one.results = [statement(["a", "b", "c"], {("a", "b"), ("c", "b")})]
    text = page(one)
    assert "b is not reached by any other node" in text
    assert "Between the nodes" in text
    assert "Who reaches whom" not in text


MANY = [f"node{number:02}" for number in range(1, 41)]
THREE = ["host1", "host2", "host3"]
GLANCES = {
    "sound": statement(THREE, set()),
    "column": statement(THREE, {("host1", "host2"), ("host3", "host2")}),
    "row": statement(THREE, {("host2", "host1"), ("host2", "host3")}),
    "cut off": statement(THREE, {(one, other) for one, other in permutations(THREE, 2) if "host2" in (one, other)}),
    "one pair": statement(THREE, {("host1", "host2"), ("host2", "host1")}),
    "one way": statement(THREE, {("host1", "host2")}),
    "everywhere": statement(THREE, set(permutations(THREE, 2))),
    "not known": statement(THREE, set(), {("host1", "host2"), ("host1", "host3")}),
    "of forty a column": statement(MANY, {(one, "node07") for one in MANY if one != "node07"}),
    "of forty some from some": statement(
        MANY, {(one, other) for one in MANY[:5] for other in MANY[30:]} | {(MANY[20], MANY[21])}
    ),
    "of forty two halves": statement(
        MANY, {(one, other) for one, other in permutations(MANY, 2) if (one < "node21") != (other < "node21")}
    ),
}
"""What can be wrong between nodes, each as one statement."""


def golden(name: str, text: str) -> None:
    """Compare with a file in expected/; `CLUSTERLAB_WRITE_EXPECTED=1 pytest` writes it."""
    file = Path(__file__).parent / "expected" / name
    if os.environ.get("CLUSTERLAB_WRITE_EXPECTED"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


def test_all_patterns_on_a_terminal_are_as_expected() -> None:
    golden("nodes.txt", "\n".join(f"# {name}\n{shown(result)}\n" for name, result in GLANCES.items()))


def test_all_patterns_on_the_page_are_as_expected() -> None:
    one = nightly_run()
    one.results = [replace(result, check=name) for name, result in GLANCES.items()]
    text = page(one)
    begin = text.index("Between the nodes")
    section = text[text.rindex("<", 0, begin) : text.index("</section>", begin)]
    golden("nodes.html", "\n".join(line.rstrip() for line in section.splitlines() if line.strip()) + "\n")

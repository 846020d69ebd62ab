"""The proofs are what the checks ask for: the same values hold and do not hold."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from clusterlab.checks.manual.line import Line, ends
from clusterlab.checks.manual.shell_matchers import as_wanted
from clusterlab.checks.matcher import match
from clusterlab.checks.report_path import template
from clusterlab.model.matcher import MatcherSpec

TEXTS = ["", "111", "111\n222", 'it\'s "so" $HOME\n', "  2 abc", "40000", "a.b*c", "ab\nab\nab", "ü", "-n", "[1]"]
SPECS: list[dict[str, Any]] = [
    {"equals": "111"},
    {"equals": 111},
    {"equals": "111\n222"},
    {"equals": ""},
    {"equals": 'it\'s "so" $HOME'},
    {"equals": "-n"},
    {"contains": ["a.b*c"]},
    {"contains": ["b", "a"]},
    {"contains": ["1\n2"]},
    {"contains": ["-n"]},
    {"lacks": ["11"]},
    {"lacks": ["x", "$HOME"]},
    {"matches": r"^ *2 [a-c]{3}$"},
    {"matches": r"^\d+$"},
    {"matches": r"111\n222"},
    {"matches": r"(?<=a)b$"},
    {"lines": 0},
    {"lines": 2},
    {"lines": 3},
    {"empty": True},
    {"empty": False},
    {"between": [1, 50000]},
    {"lines": 2, "contains": ["222"]},
]


def holds(script: str, **variables: str) -> bool:
    ended = subprocess.run(
        ["sh", "-c", script], env={"PATH": "/usr/bin:/bin", **variables}, capture_output=True, check=False
    )
    return ended.returncode == 0


@pytest.mark.parametrize("given", SPECS, ids=str)
def test_a_text_is_as_wanted_when_the_matcher_says_so(given: dict[str, Any]) -> None:
    spec = MatcherSpec.model_validate(given)
    answers = {text: holds(as_wanted(spec), found=text.removesuffix("\n")) for text in TEXTS}
    assert answers == {text: match(spec, text).holds for text in TEXTS}
    assert len(set(answers.values())) == 2  # a test that always says the same proves nothing


@pytest.mark.parametrize(
    "given", [{"contains": ["b"]}, {"lacks": ["b"]}, {"equals": {"a": 1, "b": "x"}}, {"equals": ["a", "b"]}], ids=str
)
def test_what_an_engine_reports_is_as_wanted_when_the_matcher_says_so(given: dict[str, Any]) -> None:
    spec = MatcherSpec.model_validate(given)
    values: list[object] = [["a", "b"], ["a", "bc"], {"b": "x", "a": 1}, {"a": "bc"}, "abc", "a", [], {}]
    reported = {json.dumps(value): json.dumps(value, sort_keys=True, separators=(",", ":")) for value in values}
    answers = {name: holds(as_wanted(spec, as_json=True), found=text) for name, text in reported.items()}
    assert answers == {json.dumps(value): match(spec, value).holds for value in values}


@pytest.mark.parametrize(
    "given",
    [{"equals": ["a", "b"]}, {"contains": ["a"]}, {"lacks": ["a"]}, {"lines": 2}, {"evenly": ["a", "b"]}],
    ids=str,
)
def test_items_are_as_wanted_when_the_matcher_says_so(given: dict[str, Any]) -> None:
    spec = MatcherSpec.model_validate(given)
    values = [["a", "b"], ["b", "a"], ["ab"], ["a"], ["a", "a"], ["b", "a", "b"], ["b", "a", "b", "b"], []]
    answers = [holds(as_wanted(spec, items=True), found="\n".join(value)) for value in values]
    assert answers == [match(spec, value).holds for value in values]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("echo out; echo err >&2; exit 2", True),
        ("echo out; echo err >&2; exit 3", True),
        ("echo out; echo err >&2", False),
        ("echo other; echo err >&2; exit 2", False),
        ("echo out; echo other >&2; exit 2", False),
    ],
)
def test_exit_code_and_both_streams_count(command: str, expected: bool, tmp_path: Path) -> None:
    out, err = MatcherSpec(equals="out"), MatcherSpec(equals="err")
    for typed in (shlex.join(["sh", "-c", command]), f"(\n{command}\n)"):
        assert holds(ends(typed, (2, 3), out, err), TMPDIR=str(tmp_path)) is expected
    assert not list(tmp_path.iterdir())  # nothing remains on the host it was typed on


def test_without_room_for_what_is_written_nothing_is_proven() -> None:
    proof = ends("exit 2", (1, 2), MatcherSpec(empty=True), MatcherSpec(lacks=["x"]))
    assert not holds(proof, TMPDIR="/nowhere")


def test_a_command_that_fails_proves_no_emptiness() -> None:
    assert not holds(ends("false", (0,), MatcherSpec(empty=True)))
    assert not holds(ends("false", (0,), None, MatcherSpec(empty=True)))


def test_a_line_is_tried_again_until_it_holds_or_its_time_is_up() -> None:
    assert holds(Line("host1", "", "seen", "[ $((asked += 1)) -eq 2 ]", within=5).script)
    assert not holds(Line("host1", "", "seen", "false", within=1).script)


def test_a_line_that_must_hold_for_a_while_is_tried_as_long() -> None:
    assert holds(Line("host1", "", "seen", "true", lasting=1).script)
    assert not holds(Line("host1", "", "seen", "[ $((asked += 1)) -eq 1 ]", lasting=3).script)
    assert holds(Line("host1", "", "seen", "[ $((asked += 1)) -ge 2 ]", within=5, lasting=0).script)
    assert not holds(Line("host1", "", "seen", "false", within=1, lasting=1).script)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (["State", "Running"], "{{.State.Running}}"),
        (["Mounts", "*", "Name"], "{{range .Mounts}}{{println .Name}}{{end}}"),
        (["IPAM", "Config", "0", "Subnet"], "{{(index .IPAM.Config 0).Subnet}}"),
        (["Labels", "org.example"], '{{(index .Labels "org.example")}}'),
        (["A", "*", "B", "*", "C"], "{{range .A}}{{range .B}}{{println .C}}{{end}}{{end}}"),
    ],
)
def test_paths_are_templates(path: list[str], expected: str) -> None:
    assert template(path, as_json=False) == expected

"""Matchers: each key both ways, and the words for it."""

from __future__ import annotations

from typing import Any

import pytest

from clusterlab.checks.matcher import match, show
from clusterlab.errors import UsageError
from clusterlab.model.checks import MatcherSpec

HOLDS = [
    ({"equals": "111"}, "111\n"),
    ({"equals": 80}, "80\n"),
    ({"equals": 80}, 80),
    ({"equals": ""}, ""),
    ({"equals": None}, None),
    ({"equals": True}, True),
    ({"equals": {"type": "nfs"}}, {"type": "nfs"}),
    ({"equals": ["a", 1]}, ["a", "1"]),
    ({"contains": ["a", "b"]}, "xaxbx"),
    ({"contains": ["web"]}, ["db", "web"]),
    ({"contains": ["key"]}, {"key": 1}),
    ({"contains": ["80"]}, 8080),
    ({"lacks": ["a"]}, "xyz"),
    ({"lacks": ["web"]}, ["web2"]),
    ({"lacks": ["web"]}, ""),
    ({"lacks": ["web"], "empty": True}, []),
    ({"lacks": ["web"], "lines": 0}, {}),
    ({"lacks": ["web"], "equals": []}, []),
    ({"matches": r"^/shares\s"}, "Export list:\n/shares *\n"),
    ({"matches": "^w"}, ["db", "web"]),
    ({"lines": 2}, "a\nb\n"),
    ({"lines": 0}, ""),
    ({"lines": 2}, ["a", "b"]),
    ({"empty": True}, " \n"),
    ({"empty": True}, {}),
    ({"empty": True}, None),
    ({"empty": False}, "x"),
    ({"contains": ["a"], "lacks": ["b"], "lines": 1}, "a"),
    ({"between": [1, 10]}, "1\n"),
    ({"between": [1, 10]}, 10),
    ({"evenly": ["a", "b"]}, ["b", "a"]),
    ({"evenly": ["a", "b"]}, ["b", "a", "b"]),
    ({"evenly": ["a", "b", "c"]}, "c\na\n"),
    ({"evenly": ["a"]}, ["a", "a", "a"]),
]

FAILS: list[tuple[dict[str, Any], Any, str]] = [
    ({"evenly": ["a", "b"]}, ["b", "b"], "not evenly: a 0 times, b 2 times"),
    ({"evenly": ["a", "b"]}, ["a", "b", "c"], '"c" is none of them'),
    ({"evenly": ["a", "b"]}, [], "it is empty"),
    ({"evenly": ["a", "b"]}, None, "it is empty"),
    ({"equals": "111"}, "1111", "is not"),
    ({"equals": "111"}, "", "is not"),
    ({"equals": True}, 1, "is not"),
    ({"equals": 1}, True, "is not"),
    ({"equals": None}, "", "is not"),
    ({"equals": ""}, None, "is not"),
    ({"equals": {"type": "nfs"}}, {"type": "nfs", "o": "ro"}, "is not"),
    ({"equals": ["a", "b"]}, ["b", "a"], "is not"),
    ({"equals": [1]}, [1, 2], "is not"),
    ({"contains": ["a", "b"]}, "a", '"b" is missing'),
    ({"contains": ["web"]}, ["web2"], '"web" is missing'),
    ({"contains": ["web"]}, [], '"web" is missing'),
    ({"contains": ["web"]}, None, '"web" is missing'),
    ({"lacks": ["a"]}, "abc", '"a" is in it'),
    ({"lacks": ["a"]}, [], "it is empty"),
    ({"lacks": ["a"]}, [[], []], "it is empty"),
    ({"lacks": ["a"]}, {}, "it is empty"),
    ({"lacks": ["a"]}, None, "it is empty"),
    ({"matches": "^shares"}, "/shares", "nothing in it matches"),
    ({"lines": 1}, "a\nb", "has 2"),
    ({"empty": True}, "x", "is not empty"),
    ({"empty": False}, "\n", "is empty"),
    ({"contains": ["a"], "lacks": ["b"]}, "ab", '"b" is in it'),
    ({"between": [1, 10]}, "11", "is not from 1 to 10"),
    ({"between": [1, 10]}, 0, "is not from 1 to 10"),
    ({"between": [1, 10]}, "1 to 10", "is not from 1 to 10"),
    ({"between": [1, 10]}, None, "is not from 1 to 10"),
    ({"between": [1, 10]}, ["5"], "is not from 1 to 10"),
]


@pytest.mark.parametrize(("spec", "value"), HOLDS)
def test_holds(spec: dict[str, Any], value: object) -> None:
    assert match(MatcherSpec(**spec), value).holds


@pytest.mark.parametrize(("spec", "value", "found"), FAILS)
def test_fails_and_says_why(spec: dict[str, Any], value: object, found: str) -> None:
    result = match(MatcherSpec(**spec), value)
    assert not result.holds
    assert found in result.found


def test_says_what_is_wanted() -> None:
    spec = MatcherSpec(contains=["a", "b"], lacks=["c"], lines=2)
    assert match(spec, "").wanted == 'contains "a" and "b", does not contain "c", has 2 lines or items'


def test_asserting_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="asserts nothing"):
        match(MatcherSpec.model_construct(), "x")


def test_a_long_value_is_shortened_with_its_size() -> None:
    assert show("x" * 1000).endswith("... (1002 characters)")

"""The longest chains of things that wait for each other."""

from __future__ import annotations

from graphlib import CycleError

import pytest

from clusterlab.chains import chain_lengths


def test_a_chain_costs_what_it_and_the_longest_behind_it_cost() -> None:
    costs = {"a": 1.0, "b": 2.0, "c": 5.0, "d": 1.0, "alone": 3.0}
    followers = {"a": ["b", "c"], "b": ["d"], "c": ["d"]}
    lengths = chain_lengths({**followers, "d": [], "alone": []}, costs.__getitem__)
    assert lengths == {"a": 7.0, "b": 3.0, "c": 6.0, "d": 1.0, "alone": 3.0}


def test_what_waits_for_itself_is_an_error() -> None:
    with pytest.raises(CycleError):
        chain_lengths({"a": ["b"], "b": ["a"]}, lambda one: 1.0)

"""The longest chains of things that wait for each other.

What begins the longest one should begin first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from graphlib import TopologicalSorter
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def chain_lengths(followers: Mapping[T, Collection[T]], cost: Callable[[T], float]) -> dict[T, float]:
    """What the longest chain costs that begins with each item, itself included.

    `followers` has for each item those that wait for it; raises graphlib.CycleError when they wait for each other.
    """
    lengths: dict[T, float] = {}
    for item in TopologicalSorter(followers).static_order():  # the last of each chain comes first
        after = (lengths[one] for one in followers.get(item, ()))
        lengths[item] = cost(item) + max(after, default=0.0)
    return lengths

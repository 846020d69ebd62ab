"""Rounds in which everybody does the same work, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from .report import Measured

Action = Callable[[], object]


def interleaved(work: str, contestants: Mapping[str, Action], rounds: int, before: Action = lambda: None) -> Measured:
    """Let each do the work once a round, in an order that turns with the rounds; `before` is not measured."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds):
        turned = number % len(names)
        for name in names[turned:] + names[:turned]:
            before()
            began = time.monotonic()
            contestants[name]()
            seconds[name].append(time.monotonic() - began)
            print(f"{work}: {name}: {seconds[name][-1]:.1f} s", flush=True)
    return Measured(work, seconds)

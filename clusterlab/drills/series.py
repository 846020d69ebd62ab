"""What a prober saw of one target.

A tick at each due time, whatever became of the request.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .record import Record, Request

State = Literal["ok", "failed", "no data"]
STEADY_RATE = 0.8
"""The share of its requests that a prober must make while nothing is wrong, for its figures to mean anything."""
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Tick:
    """A moment at which a client would have asked, and what it would have met.

    `took` seconds, when it was answered.
    """

    at: float
    state: State
    took: float = 0.0
    asked: bool = True  # by a request of its own, not by one that was still under way


@dataclass(frozen=True)
class Series:
    """The ticks of one target, `period` seconds apart, in their order."""

    target: str
    period: float
    ticks: tuple[Tick, ...] = ()

    def between(self, begin: float, end: float) -> Series:
        """The ticks from `begin` on and before `end`."""
        return Series(self.target, self.period, tuple(tick for tick in self.ticks if begin <= tick.at < end))

    @property
    def known(self) -> tuple[Tick, ...]:
        return tuple(tick for tick in self.ticks if tick.state != "no data")

    @property
    def rate(self) -> float:
        """The share of the ticks that had a request of their own; 0 without ticks."""
        return sum(tick.asked for tick in self.ticks) / len(self.ticks) if self.ticks else 0.0

    @property
    def coverage(self) -> float:
        """The share of the ticks of which something is known; 0 without ticks."""
        return len(self.known) / len(self.ticks) if self.ticks else 0.0


def ticks(record: Record, first: float, period: float, until: float) -> list[Tick]:
    """All ticks due from `first` until `until`, when the record was fetched.

    Both in seconds of uptime.

    A tick that came while an earlier request was under way shares what became of that: it failed with it, or it was
    answered with it, after the time that remained (the correction for coordinated omission). Of a tick that no request
    covers, or one that has not ended, nothing is known.
    """
    by_tick = {request.tick: request for request in record.requests}
    found: list[Tick] = []
    latest: Request | None = None
    for number in range(max(0, math.ceil((until - first) / period - _ROUNDING))):
        due = first + number * period
        own = by_tick.get(number)
        latest = own or latest
        if latest is None or latest.ended is None or (own is None and latest.ended <= due):
            found.append(Tick(due, "no data", asked=own is not None))
        else:
            state: State = "ok" if latest.outcome == "ok" else "failed"
            found.append(Tick(due, state, latest.ended - (latest.began if own else due), asked=own is not None))
    return found


def any_of(several: Sequence[Series], target: str) -> Series:
    """What a client sees that tries all targets.

    It is served as long as one of them answers.

    The series of one prober have the same due times. Where no target answered and of one nothing is known, nothing is
    known.
    """
    combined = []
    for row in zip(*(one.ticks for one in several), strict=False):
        served = [tick for tick in row if tick.state == "ok"]
        if served:
            combined.append(min(served, key=lambda tick: tick.took))
        else:
            combined.append(next((tick for tick in row if tick.state == "no data"), row[0]))
    return Series(target, several[0].period if several else 1.0, tuple(combined))

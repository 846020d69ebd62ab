"""What a prober saw of one target.

A tick at each due time, whatever became of the request.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from .record import Record, Request

State = Literal["ok", "failed", "no data"]
STEADY_RATE = 0.8
"""The share of its requests that a prober must make while nothing is wrong.

For its figures to mean anything.
"""
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

    Of each series the tick counts that is nearest to a moment: those of different hosts are not due at the same time.
    Where no target answered and of one nothing is known, nothing is known.
    """
    period = several[0].period if several else 1.0
    known = [one for one in several if one.ticks]
    if len(known) < len(several) or not known:
        return Series(target, period)
    begin = max(one.ticks[0].at for one in known)
    number = round((max(one.ticks[-1].at for one in known) - begin) / period) + 1
    rows = zip(*(_nearest(one, begin, number) for one in known), strict=True)
    return Series(target, period, tuple(_best(begin + at * period, row) for at, row in enumerate(rows)))


def _nearest(series: Series, begin: float, number: int) -> list[Tick | None]:
    """The tick nearest to each of some moments, a period apart.

    None where none is near.
    """
    due = [tick.at for tick in series.ticks]
    found: list[Tick | None] = []
    for index in range(number):
        at = begin + index * series.period
        right = bisect_left(due, at)
        near = min(series.ticks[max(0, right - 1) : right + 1], key=lambda tick: abs(tick.at - at))
        found.append(near if abs(near.at - at) <= series.period else None)
    return found


def _best(at: float, row: Sequence[Tick | None]) -> Tick:
    """What a client meets that tries several targets."""
    ticks = [tick for tick in row if tick is not None]
    served = [tick for tick in ticks if tick.state == "ok"]
    if served:
        return replace(min(served, key=lambda tick: tick.took), at=at)
    unknown = len(ticks) < len(row) or any(tick.state == "no data" for tick in ticks)
    return replace(ticks[0], at=at, state="no data" if unknown else "failed") if ticks else Tick(at, "no data")


def joined(parts: Sequence[Sequence[Tick]], period: float) -> list[Tick]:
    """The ticks of a prober that was started again.

    Of the time between, nothing is known.
    """
    found: list[Tick] = []
    for part in parts:
        while found and part and part[0].at - found[-1].at > 1.5 * period:
            found.append(Tick(found[-1].at + period, "no data", asked=False))
        found += part
    return found


def without_power(series: Series, since: float, until: float) -> Series:
    """The series of what a host itself runs, when that host had no power.

    Of what nothing is known, nothing ran.
    """
    ticks = [
        replace(tick, state="failed") if tick.state == "no data" and since <= tick.at < until else tick
        for tick in series.ticks
    ]
    while ticks and ticks[-1].at + series.period < until:
        ticks.append(Tick(ticks[-1].at + series.period, "failed", asked=False))
    return replace(series, ticks=tuple(ticks))

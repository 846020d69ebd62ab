"""Availability in numbers.

How long a target was unavailable, when, and how fast it answered otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .series import Series


@dataclass(frozen=True)
class Availability:
    """What the ticks of a span of time say; all in seconds.

    `error` is how far `unavailable` may be off: what happens between two ticks is not seen. `first` and `last` are
    when the first failed tick began and the last one ended, after the moment `since`; None when none failed.
    """

    span: float
    unavailable: float
    error: float
    longest: float
    failed: int
    ticks: int
    no_data: float = 0.0
    first: float | None = None
    last: float | None = None

    def __str__(self) -> str:
        if not self.ticks:
            return f"no data for {self.span:.1f} s"
        gap = f", no data for {self.no_data:.1f} s" if self.no_data else ""
        if self.first is None or self.last is None:
            return f"unavailable 0 s of {self.span:.1f} s (±{self.error:.1f}), 0 of {self.ticks} failed{gap}"
        return (
            f"unavailable {self.unavailable:.1f} s of {self.span:.1f} s (±{self.error:.1f}), "
            f"longest {self.longest:.1f} s, {self.failed} of {self.ticks} failed, "
            f"first {self.first:+.1f} s, last {self.last:+.1f} s{gap}"
        )


def availability(series: Series, since: float) -> Availability:
    """The numbers of a series; every failed tick stands for one period."""
    period = series.period
    failed = [tick for tick in series.ticks if tick.state == "failed"]
    longest = run = 0
    for tick in series.ticks:
        run = run + 1 if tick.state == "failed" else 0
        longest = max(longest, run)
    return Availability(
        span=len(series.ticks) * period,
        unavailable=len(failed) * period,
        error=period,
        longest=longest * period,
        failed=len(failed),
        ticks=len(series.known),
        no_data=(len(series.ticks) - len(series.known)) * period,
        first=failed[0].at - since if failed else None,
        last=failed[-1].at + period - since if failed else None,
    )


@dataclass(frozen=True)
class Latency:
    """How long answers took, in seconds: medians, 95th percentiles and the longest.

    None when nothing was answered.
    """

    p50: float
    p95: float
    most: float

    def __str__(self) -> str:
        return f"{self.p50:.2f}/{self.p95:.2f}/{self.most:.2f} s"


def latency(series: Series) -> Latency | None:
    """The percentiles of the ticks that were answered."""
    took = sorted(tick.took for tick in series.ticks if tick.state == "ok")
    return Latency(_percentile(took, 0.5), _percentile(took, 0.95), took[-1]) if took else None


def _percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: a value that was measured."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

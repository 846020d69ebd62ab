"""Whether what was measured is what a drill expects: pure logic on series."""

from __future__ import annotations

from dataclasses import dataclass

from clusterlab.model.drills import Expectation
from clusterlab.results import Outcome

from .availability import availability
from .series import STEADY_RATE, Series

STREAK = 3
"""This many ticks in a row must be answered after the heal for a target to have recovered."""


@dataclass(frozen=True)
class Span:
    """The moments of a drill, in this workstation's time.

    From the injection until observation ended.
    """

    injected: float
    healed: float  # when healing began
    ended: float
    recovers: float  # seconds from `healed`


@dataclass(frozen=True)
class Met:
    """What became of one expectation."""

    outcome: Outcome
    found: str


def recovered(series: Series, healed: float) -> float | None:
    """Seconds after which a target answered and went on answering.

    None when it does not, or not for long enough.
    """
    after = [tick for tick in series.ticks if tick.at >= healed]
    while after and after[-1].state == "no data":  # not fetched yet, or under way
        after.pop()
    streak = 0
    for tick in reversed(after):
        if tick.state != "ok":
            break
        streak += 1
    return max(0.0, after[-streak].at - healed) if streak >= STREAK else None


def steady(series: Series) -> Met:
    """Whether all was well before: every tick answered, and the prober kept its rate."""
    if not series.known:
        return Met(Outcome.ERROR, "no data")
    failed = sum(tick.state == "failed" for tick in series.ticks)
    if failed:
        return Met(Outcome.ERROR, f"{failed} of {len(series.known)} failed before the fault")
    if series.rate < STEADY_RATE:
        return Met(
            Outcome.ERROR,
            f"only {series.rate:.0%} of its requests were made: the host is too slow for one every {series.period:g} s",
        )
    return Met(Outcome.PASS, f"{len(series.known)} answered")


def meets(expectation: Expectation, series: Series, span: Span) -> Met:
    """Whether one target was as expected, during the fault and after it."""
    if expectation.expect == "fails":
        during = series.between(span.injected, span.healed)
        if during.coverage < STEADY_RATE:
            return _no_data(during)
        if not any(tick.state == "failed" for tick in during.ticks):
            return Met(Outcome.FAIL, f"it never failed: {availability(during, span.injected)}")
        return _recovers(series, span, str(availability(during, span.injected)))
    if expectation.expect == "holds":
        judged = series.between(span.injected + (expectation.within or 0.0), span.ended)
        if judged.coverage < STEADY_RATE:
            return _no_data(judged)
        seen = availability(judged, span.injected)
        found = str(seen) + (f" from +{expectation.within:g} s on" if expectation.within else "")
        return Met(Outcome.FAIL, found) if seen.failed else _recovers(series, span, found)
    judged = series.between(span.injected, span.ended)
    if judged.coverage < STEADY_RATE:
        return _no_data(judged)
    seen = availability(judged, span.injected)
    if expectation.unavailable is not None and seen.unavailable > expectation.unavailable:
        return Met(Outcome.FAIL, f"{seen}; at most {expectation.unavailable:g} s expected")
    return _recovers(series, span, str(seen))


def _recovers(series: Series, span: Span, found: str) -> Met:
    took = recovered(series, span.healed)
    if took is None or took > span.recovers:
        return Met(Outcome.FAIL, f"{found}; not recovered {span.recovers:g} s after the heal")
    return Met(Outcome.PASS, found)


def _no_data(series: Series) -> Met:
    known = len(series.known)
    return Met(Outcome.ERROR, f"no data: of {len(series.ticks)} ticks, something is known of {known}")

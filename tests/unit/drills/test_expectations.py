"""What a drill expects, against series that meet it and series that do not."""

from __future__ import annotations

from typing import Any

import pytest

from clusterlab.drills.expectations import Span, meets, recovered, steady
from clusterlab.drills.series import Series, Tick
from clusterlab.model.drills import Expectation
from clusterlab.results import Outcome
from tests.unit.drills.test_series import series

# A tick per second from 0 s on: injected at 4 s, healed at 10 s, seen until 16 s; it must recover within 4 s.
SPAN = Span(injected=4.0, healed=10.0, ended=16.0, recovers=4.0)


@pytest.mark.parametrize(
    ("expected", "letters", "outcome"),
    [
        ({"expect": "holds"}, "================", Outcome.PASS),
        ({"expect": "holds"}, "====#===========", Outcome.FAIL),
        ({"expect": "holds"}, "============#===", Outcome.FAIL),
        ({"expect": "holds"}, "====??????======", Outcome.ERROR),
        ({"expect": "holds", "within": 3}, "====###=========", Outcome.PASS),
        ({"expect": "holds", "within": 3}, "====####========", Outcome.FAIL),
        ({"expect": "degraded"}, "====######======", Outcome.PASS),
        ({"expect": "degraded"}, "================", Outcome.PASS),
        ({"expect": "degraded"}, "====############", Outcome.FAIL),
        ({"expect": "degraded", "unavailable": 6}, "====######======", Outcome.PASS),
        ({"expect": "degraded", "unavailable": 5}, "====######======", Outcome.FAIL),
        ({"expect": "degraded"}, "====???????=====", Outcome.ERROR),
        ({"expect": "fails"}, "====######======", Outcome.PASS),
        ({"expect": "fails"}, "=======#========", Outcome.PASS),
        ({"expect": "fails"}, "================", Outcome.FAIL),
        ({"expect": "fails"}, "==========##====", Outcome.FAIL),  # only after the heal
        ({"expect": "fails"}, "====############", Outcome.FAIL),
        ({"expect": "fails"}, "====#########===", Outcome.PASS),
        ({"expect": "fails"}, "====??????======", Outcome.ERROR),
    ],
)
def test_expectation(expected: dict[str, Any], letters: str, outcome: Outcome) -> None:
    expectation = Expectation(prober="web", **expected)
    assert meets(expectation, series(letters, period=1.0), SPAN).outcome is outcome


def test_recovery_later_than_allowed_is_a_failure() -> None:
    late = Span(4.0, 10.0, 20.0, recovers=4.0)
    met = meets(Expectation(prober="web", expect="fails"), series("====###########=====", period=1.0), late)
    assert met.outcome is Outcome.FAIL
    assert met.found.endswith("not recovered 4 s after the heal")


@pytest.mark.parametrize(
    ("letters", "after"),
    [
        ("====######======", 0.0),
        ("====########====", 2.0),
        ("====########===?", 2.0),  # the last one is under way
        ("====##########==", None),
        ("====############", None),
        ("================", 0.0),
        ("====######??????", None),
    ],
)
def test_recovered(letters: str, after: float | None) -> None:
    assert recovered(series(letters, period=1.0), healed=10.0) == after


@pytest.mark.parametrize(
    ("letters", "outcome"), [("=====", Outcome.PASS), ("==#==", Outcome.ERROR), ("", Outcome.ERROR)]
)
def test_steady(letters: str, outcome: Outcome) -> None:
    assert steady(series(letters)).outcome is outcome


def test_a_prober_that_is_too_slow_is_an_error() -> None:
    found = steady(Series("web", 0.5, tuple(Tick(n / 2, "ok", 0.7, asked=n % 2 == 0) for n in range(10))))
    assert found.outcome is Outcome.ERROR
    assert found.found.startswith("only 50% of its requests were made")

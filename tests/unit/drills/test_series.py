"""Ticks from a prober's lines, and the numbers that they mean."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clusterlab.drills.availability import availability, latency
from clusterlab.drills.clock import Clock, anchor
from clusterlab.drills.record import read_record
from clusterlab.drills.series import Series, Tick, any_of, joined, ticks, without_power

LETTERS = {"ok": "=", "failed": "#", "no data": "?"}


def strip(found: list[Tick]) -> str:
    return "".join(LETTERS[tick.state] for tick in found)


def lines(*requests: tuple[int, int, int, str]) -> str:
    return "".join(f"invoke {tick} {began}\n{word} {tick} {ended}\n" for tick, began, ended, word in requests)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (lines((0, 100, 101, "ok"), (1, 150, 151, "ok"), (2, 200, 201, "ok"), (3, 250, 252, "ok")), "===="),
        (lines((0, 100, 101, "ok"), (1, 150, 151, "info"), (2, 200, 201, "ok"), (3, 250, 252, "ok")), "=#=="),
        # a request that hangs for its whole timeout fails the ticks behind it
        (lines((0, 100, 201, "info"), (3, 250, 251, "ok")), "###="),
        # a slow answer serves those behind it, who waited less
        (lines((0, 100, 201, "ok"), (3, 250, 251, "ok")), "===="),
        # nothing is known after the last line, nor where no request was under way
        (lines((0, 100, 101, "ok")), "=???"),
        (lines((0, 100, 101, "ok"), (3, 250, 251, "ok")), "=??="),
        ("", "????"),
        # nor of a request that has not ended
        (lines((0, 100, 101, "ok")) + "invoke 1 150\n", "=???"),
        # a line that is only partly written does not count
        (lines((0, 100, 101, "ok")) + "invoke 1 15", "=???"),
    ],
)
def test_ticks(text: str, expected: str) -> None:
    assert strip(ticks(read_record("web", text), first=1.0, period=0.5, until=3.0)) == expected


def test_a_tick_behind_a_slow_answer_waited_for_the_rest_of_it() -> None:
    found = ticks(read_record("web", lines((0, 100, 190, "ok"))), first=1.0, period=0.5, until=2.0)
    assert [round(tick.took, 2) for tick in found] == [0.9, 0.4]
    assert Series("web", 0.5, tuple(found)).rate == 0.5


def series(letters: str, name: str = "web", period: float = 0.5, first: float = 0.0) -> Series:
    states = {letter: state for state, letter in LETTERS.items()}
    made = [Tick(first + number * period, states[letter], 0.1) for number, letter in enumerate(letters)]  # type: ignore[arg-type]
    return Series(name, period, tuple(made))


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("====", "unavailable 0 s of 2.0 s (±0.5), 0 of 4 failed"),
        (
            "==##=#==",
            "unavailable 1.5 s of 4.0 s (±0.5), longest 1.0 s, 3 of 8 failed, first +1.0 s, last +3.0 s",
        ),
        ("####", "unavailable 2.0 s of 2.0 s (±0.5), longest 2.0 s, 4 of 4 failed, first +0.0 s, last +2.0 s"),
        (
            "=#??",
            "unavailable 0.5 s of 2.0 s (±0.5), longest 0.5 s, 1 of 2 failed, first +0.5 s, last +1.0 s, "
            "no data for 1.0 s",
        ),
        ("????", "no data for 2.0 s"),
    ],
)
def test_availability(letters: str, expected: str) -> None:
    assert str(availability(series(letters), since=0.0)) == expected


def test_a_client_that_tries_all_is_served_by_any() -> None:
    one, other = series("==##=?#"), series("=#=#??#", "other")
    assert strip(list(any_of([one, other], "any").ticks)) == "===#=?#"


def shifted(letters: str, by: float) -> Series:
    """A series whose ticks are due later, as those of another host."""
    known = series(letters, "other")
    return replace(known, ticks=tuple(replace(tick, at=tick.at + by) for tick in known.ticks))


def test_ticks_of_different_hosts_count_for_the_nearest_moment() -> None:
    one, other = series("==####==###"), shifted("##==##=####", 0.2)
    assert strip(list(any_of([one, other], "any").ticks)) == "====##==###"
    assert strip(list(any_of([one, shifted("#####", 0.0)], "any").ticks)) == "==####==???"


def test_nothing_is_known_of_a_pool_of_which_one_host_never_answered() -> None:
    assert any_of([series("===="), Series("other", 0.5)], "any").ticks == ()


def test_between_two_starts_of_a_prober_nothing_is_known() -> None:
    later = shifted("==", 3.0)
    found = joined([series("=#").ticks, later.ticks], 0.5)
    assert strip(found) == "=#????=="
    assert [tick.at for tick in found] == [0.5 * number for number in range(8)]


def test_a_host_without_power_runs_nothing() -> None:
    assert strip(list(without_power(series("=#??=?"), 0.5, 2.0).ticks)) == "=###=?"
    assert strip(list(without_power(series("=="), 1.0, 3.0).ticks)) == "==####"


def test_latency_is_of_what_was_answered() -> None:
    found = [Tick(0, "ok", took) for took in (0.1, 0.2, 0.3, 0.4, 2.0)] + [Tick(0, "failed", 9.0)]
    assert str(latency(Series("web", 1.0, tuple(found)))) == "0.30/2.00/2.00 s"
    assert latency(series("##")) is None


def test_a_host_that_was_paused_has_a_slower_clock() -> None:
    clock = Clock(anchor(100.0, 1000.0, 1000.2), anchor(150.0, 1100.0, 1100.4))
    assert clock.local(100.0) == 1000.1
    assert clock.local(125.0) == pytest.approx(1050.15)
    assert clock.error == pytest.approx(0.2)

"""Asking again: flaky, within, for, and interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from threading import Event, Timer

import pytest

from clusterlab.checks.attempts import Interrupted, settle
from clusterlab.checks.finding import Finding, finding, nothing_to_probe
from clusterlab.errors import HostError
from clusterlab.results import Cause, Outcome


def answers(holds: Iterable[bool]) -> Callable[[], list[Finding]]:
    """A probe that answers as listed, and the last one from then on."""
    queue = list(holds)
    asked = iter(range(10**6))

    def ask() -> list[Finding]:
        number = next(asked)
        held = queue[min(number, len(queue) - 1)]
        return [finding("host1", "ask", holds=held, wanted="yes", found=f"answer {number + 1}")]

    return ask


def test_a_pass_is_asked_once() -> None:
    asked = settle(answers([True]), Event())
    assert (asked.outcome, asked.attempts) == (Outcome.PASS, 1)


def test_a_failure_that_then_passes_is_flaky_and_stays_in_the_evidence() -> None:
    asked = settle(answers([False, True]), Event())
    assert (asked.outcome, asked.attempts) == (Outcome.FLAKY, 2)
    assert [item.evidence.holds for item in asked.findings] == [False, True]
    assert asked.findings[0].evidence.found == "answer 1"


def test_two_failures_are_a_failure() -> None:
    asked = settle(answers([False]), Event())
    assert (asked.outcome, asked.attempts) == (Outcome.FAIL, 2)


def test_a_failure_that_then_gives_no_answer_is_a_failure_with_both_findings() -> None:
    calls: list[int] = []

    def ask() -> list[Finding]:
        calls.append(1)
        if len(calls) > 1:
            raise HostError("host1", "gone")
        return answers([False])()

    asked = settle(ask, Event())
    assert (asked.outcome, asked.attempts) == (Outcome.FAIL, 2)
    assert [item.evidence.found for item in asked.findings] == ["answer 1", "host1: gone"]
    cause = Cause("host-unreachable", "host1", "gone")
    calls.clear()
    assert settle(ask, Event(), why=lambda last: cause).outcome is Outcome.BLOCKED


def test_an_error_is_no_failure_and_is_not_asked_again() -> None:
    def ask() -> list[Finding]:
        raise HostError("host1", "gone", remedy="boot it")

    asked = settle(ask, Event())
    assert (asked.outcome, asked.attempts) == (Outcome.ERROR, 1)
    assert asked.findings[0].evidence.found == "host1: gone"
    assert asked.findings[0].hint == "boot it"


def nothing(settled: bool) -> Callable[[], list[Finding]]:
    return lambda: [nothing_to_probe("web", "ask", wanted="a port answers", found="it has none", settled=settled)]


def test_what_has_nothing_to_probe_is_unsupported_and_not_asked_again() -> None:
    asked = settle(nothing(False), Event())
    assert (asked.outcome, asked.attempts) == (Outcome.UNSUPPORTED, 1)


def test_within_waits_until_there_is_something_to_probe() -> None:
    later = iter([nothing(False), nothing(False), answers([True])])
    asked = settle(lambda: next(later)(), Event(), within=10)
    assert (asked.outcome, asked.attempts) == (Outcome.PASS, 3)
    asked = settle(nothing(False), Event(), within=0.3)
    assert asked.outcome is Outcome.UNSUPPORTED
    assert asked.attempts > 1
    assert "it has none (still so after 0.3 s" in asked.findings[0].evidence.found


@pytest.mark.parametrize("settled", [False, True])
def test_within_does_not_end_with_nothing_to_probe_right_after_a_failure(settled: bool) -> None:
    """A service whose tasks fail again and again listens on no port while they start."""
    calls: list[int] = []

    def ask() -> list[Finding]:
        calls.append(1)
        return nothing(settled)() if len(calls) % 2 == 0 else answers([False])()

    asked = settle(ask, Event(), within=0.3)
    assert asked.outcome is Outcome.FAIL
    assert asked.attempts % 2 == 1


def test_within_ends_with_nothing_to_probe_once_that_stays_so() -> None:
    later = iter([answers([False]), nothing(True), nothing(True)])
    asked = settle(lambda: next(later)(), Event(), within=60)
    assert (asked.outcome, asked.attempts) == (Outcome.UNSUPPORTED, 3)


def test_within_does_not_wait_for_what_will_not_change() -> None:
    asked = settle(nothing(True), Event(), within=60)
    assert (asked.outcome, asked.attempts) == (Outcome.UNSUPPORTED, 1)
    assert asked.findings[0].evidence.found == "it has none"


def test_a_failure_after_which_there_is_nothing_to_probe_stays_a_failure() -> None:
    later = iter([answers([False]), nothing(True)])
    asked = settle(lambda: next(later)(), Event())
    assert asked.outcome is Outcome.FAIL
    assert [item.evidence.found for item in asked.findings] == ["answer 1", "it has none"]


def test_what_can_no_longer_be_probed_has_not_held() -> None:
    later = iter([answers([True]), nothing(True)])
    assert settle(lambda: next(later)(), Event(), hold=10).outcome is Outcome.FAIL


def test_no_finding_proves_nothing() -> None:
    assert settle(lambda: [], Event()).outcome is Outcome.ERROR


def test_within_waits_and_is_not_flaky() -> None:
    asked = settle(answers([False, False, True]), Event(), within=10)
    assert (asked.outcome, asked.attempts) == (Outcome.PASS, 3)


def test_within_ends_with_the_last_answer_and_the_attempts() -> None:
    began = time.monotonic()
    asked = settle(answers([False]), Event(), within=0.5)
    assert 0.5 <= time.monotonic() - began < 1.5
    assert asked.outcome is Outcome.FAIL
    assert asked.attempts > 1
    assert f"still failing after 0.5 s and {asked.attempts} attempts" in asked.findings[0].evidence.found


def test_within_outlasts_an_error() -> None:
    later = answers([True])
    calls = []

    def ask() -> list[Finding]:
        calls.append(1)
        if len(calls) == 1:
            raise HostError("host1", "not yet")
        return later()

    assert settle(ask, Event(), within=10).outcome is Outcome.PASS


def test_for_must_hold_to_the_end() -> None:
    began = time.monotonic()
    asked = settle(answers([True]), Event(), hold=0.3)
    assert time.monotonic() - began >= 0.3
    assert asked.outcome is Outcome.PASS
    assert asked.attempts >= 3


def test_for_is_broken_by_one_failure() -> None:
    asked = settle(answers([True, True, False, True]), Event(), hold=5)
    assert asked.outcome is Outcome.FAIL
    assert "of 5 s" in asked.findings[0].evidence.found


def test_an_interrupt_ends_waiting() -> None:
    interrupted = Event()
    timer = Timer(0.3, interrupted.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        settle(answers([False]), interrupted, within=60)
    assert time.monotonic() - began < 5
    timer.join()

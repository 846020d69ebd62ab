"""Repeating probes: `within`, `for`, and once more to find what is flaky.

Until it passes (`within`), or for as long as it must pass (`for`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event

from clusterlab.errors import ClusterlabError
from clusterlab.results import Cause, Outcome
from clusterlab.waiting import pause_after

from .finding import Finding, outcome_of, unasked

Ask = Callable[[], list[Finding]]
Why = Callable[[bool], Cause | None]
"""The failed precondition behind an attempt that failed; True says that there is no further attempt."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 3.0  # seconds between attempts; each pause is twice the one before
_HELD_PAUSE = 2.0  # seconds between looks at what must go on to hold


class Interrupted(ClusterlabError):
    """The person stopped the checks.

    What actions changed is restored on the way out, `detail` says what was not.
    """


@dataclass(frozen=True)
class Asked:
    """The findings that count, after how many attempts.

    Those of a first failure are in front where they count.
    """

    outcome: Outcome
    findings: tuple[Finding, ...]
    attempts: int
    cause: Cause | None = None  # of what is blocked


def _unknown(last: bool) -> None:
    return None


def settle(
    ask: Ask, interrupted: Event, within: float | None = None, hold: float | None = None, why: Why = _unknown
) -> Asked:
    """Ask until it is settled; `within` and `hold` in seconds. Raises Interrupted.

    What fails because of a precondition (`why`) ends as BLOCKED, at once if waiting is pointless.
    """
    asked = _until(ask, interrupted, within, why) if within is not None else _twice(ask, interrupted)
    if hold is not None and asked.outcome in (Outcome.PASS, Outcome.FLAKY):
        asked = _throughout(ask, interrupted, hold, asked)
    if asked.outcome in (Outcome.FAIL, Outcome.ERROR) and (cause := why(True)):
        return blocked(asked, cause)
    return asked


def blocked(asked: Asked, cause: Cause) -> Asked:
    """What could not be probed, because of `cause`."""
    return replace(asked, outcome=Outcome.BLOCKED, cause=cause)


def _once(ask: Ask, interrupted: Event) -> list[Finding]:
    if interrupted.is_set():
        raise Interrupted("interrupted")
    try:
        return ask()
    except Interrupted:
        raise
    except ClusterlabError as error:
        return [unasked("", "the probe can run", error)]


def _twice(ask: Ask, interrupted: Event) -> Asked:
    """A failure is asked again at once.

    When it then holds it is flaky, and the first failure stays in the evidence.
    """
    first = _once(ask, interrupted)
    outcome = outcome_of(first)
    if outcome is not Outcome.FAIL:
        return Asked(outcome, tuple(first), 1)
    second = _once(ask, interrupted)
    if outcome_of(second) is Outcome.PASS:
        return Asked(Outcome.FLAKY, (*first, *second), 2)
    if outcome_of(second) in (Outcome.ERROR, Outcome.UNSUPPORTED):  # no answer afterwards does not undo the wrong one
        return Asked(Outcome.FAIL, (*first, *second), 2)
    return Asked(outcome_of(second), tuple(second), 2)


def _until(ask: Ask, interrupted: Event, within: float, why: Why) -> Asked:
    """Ask until it passes or the time is over.

    At least twice: that a single attempt took all the time shows a busy computer, and its failure little. That there is
    nothing to probe counts when it is seen twice after a failure: what fails may come and go.
    """
    deadline = time.monotonic() + within
    attempts, pause, failed = 0, _FIRST_PAUSE, False
    while True:
        asked = time.monotonic()
        findings = _once(ask, interrupted)
        answered = time.monotonic()
        attempts += 1
        outcome = outcome_of(findings)
        left = deadline - answered
        settled = outcome is Outcome.UNSUPPORTED and all(item.settled for item in findings if not item.evidence.holds)
        again, failed = failed and outcome is Outcome.UNSUPPORTED, outcome is Outcome.FAIL
        if outcome is Outcome.PASS or (not again and (settled or (left <= 0 and attempts > 1))):
            if outcome is not Outcome.PASS and not settled:
                still = "so" if outcome is Outcome.UNSUPPORTED else "failing"
                findings = _told(findings, f"still {still} after {within:g} s and {attempts} attempts")
            return Asked(outcome, tuple(findings), attempts)
        if cause := why(False):
            return blocked(Asked(outcome, tuple(findings), attempts), cause)
        interrupted.wait(max(0.0, min(pause_after(answered - asked, pause), left)))
        pause = min(2 * pause, _LONGEST_PAUSE)


def _throughout(ask: Ask, interrupted: Event, hold: float, before: Asked) -> Asked:
    """Keep asking for `hold` seconds, and once at their end.

    The first failure ends it.
    """
    began = time.monotonic()
    attempts = before.attempts
    while True:
        held = time.monotonic() - began
        findings = _once(ask, interrupted)
        attempts += 1
        outcome = outcome_of(findings)
        if outcome is not Outcome.PASS:
            outcome = Outcome.FAIL if outcome is Outcome.UNSUPPORTED else outcome  # what was probed is gone
            return Asked(outcome, tuple(_told(findings, f"after it had held for {held:.1f} of {hold:g} s")), attempts)
        if held >= hold:
            kept = before.findings if before.outcome is Outcome.FLAKY else tuple(findings)
            return Asked(before.outcome, kept, attempts)
        interrupted.wait(min(_HELD_PAUSE, max(hold - held, 0.0)))


def _told(findings: list[Finding], remark: str) -> list[Finding]:
    """The findings, with a remark at what did not hold."""
    return [
        item
        if item.evidence.holds
        else replace(item, evidence=replace(item.evidence, found=f"{item.evidence.found} ({remark})"))
        for item in findings
    ]

"""Waiting for a condition, with a deadline and with what was last seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from clusterlab.errors import ClusterlabError, DeadlineExceeded

T = TypeVar("T")

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.5
_PER_ANSWER = 3
_LONGEST_AFTER_ANSWER = 3.0


def pause_after(answered: float, pause: float) -> float:
    """How long to wait until the next question, in seconds, when the last answer took `answered`.

    `pause`, or three times as long as the answer took: who is slow to answer is busy with what is waited for, and
    questions would keep it from that. At most 3 s are added for that reason.
    """
    return max(pause, min(_PER_ANSWER * answered, _LONGEST_AFTER_ANSWER))


class Interrupted(ClusterlabError):
    """A wait was ended from outside before its condition was met."""


def wait_until(
    condition: Callable[[], T],
    what: str,
    seconds: float,
    *,
    subject: str = "",
    seen: Callable[[], str] | None = None,
    remedy: str = "",
    detail: Callable[[], str] | None = None,
    stop: threading.Event | None = None,
    longest_pause: float = LONGEST_PAUSE,
) -> T:
    """Call `condition` until it returns something true, and return that.

    The pauses between the calls double, and grow with the time that a call takes: see `pause_after`.

    `what` completes "waited 30 s for ..."; `subject` (a host) comes before it. `seen` says what was last seen and
    `detail` gives its details; both are called at the deadline only. The condition is called once more at the
    deadline, also when a call that began before has taken until then: what it saw is as old as that.

    Raises DeadlineExceeded after `seconds`, Interrupted when `stop` is set, and what `condition` raises.
    """
    began = time.monotonic()
    pause = FIRST_PAUSE
    prefix = f"{subject}: " if subject else ""
    asked = began
    while not (result := condition()):
        answered = time.monotonic()
        waited = answered - began
        if asked - began >= seconds:
            last = seen() if seen else ""
            raise DeadlineExceeded(
                f"{prefix}waited {waited:.0f} s for {what}" + (f"; last seen: {last}" if last else ""),
                remedy=remedy,
                detail=detail() if detail else "",
            )
        if (stop or _NEVER).wait(min(pause_after(answered - asked, pause), max(0.001, seconds - waited))):
            raise Interrupted(f"{prefix}waiting for {what} was interrupted")
        pause = min(2 * pause, longest_pause)
        asked = time.monotonic()
    return result


def within(seconds: float, ask: Callable[[], T]) -> T | ClusterlabError | None:
    """What `ask` returns, its error, or None when it has not ended in time.

    What hangs keeps its thread until it ends by itself; it keeps nobody else. Raises whatever else `ask` raises.
    """
    answer: list[T | Exception] = []

    def run() -> None:
        try:
            answer.append(ask())
        except Exception as error:  # noqa: BLE001  # the thread that waits raises it
            answer.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not answer:
        return None
    if isinstance(answer[0], Exception) and not isinstance(answer[0], ClusterlabError):
        raise answer[0]
    return answer[0]


def seconds_left(deadline: float) -> float:
    """From now to `deadline` (of time.monotonic), never negative."""
    return max(0.0, deadline - time.monotonic())


_NEVER = threading.Event()

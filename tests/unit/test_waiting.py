from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from clusterlab.errors import ClusterlabError, DeadlineExceeded
from clusterlab.waiting import Interrupted, pause_after, wait_until, within


def test_what_the_condition_returned_is_the_result() -> None:
    answers: Iterator[str] = iter(["", "", "here"])
    assert wait_until(lambda: next(answers), "an answer", 5.0) == "here"


def test_the_deadline_names_the_wait_and_what_was_last_seen() -> None:
    with pytest.raises(DeadlineExceeded) as late:
        wait_until(
            lambda: False,
            "the moon to rise",
            0.1,
            subject="host1",
            seen=lambda: "clouds",
            remedy="Look up.",
            detail=str,
        )
    assert late.value.message == "host1: waited 0 s for the moon to rise; last seen: clouds"
    assert late.value.remedy == "Look up."


def test_the_pauses_double_up_to_the_longest() -> None:
    calls: list[float] = []
    with pytest.raises(DeadlineExceeded):
        wait_until(lambda: calls.append(time.monotonic()), "nothing", 1.0, longest_pause=0.3)
    assert len(calls) < 9  # 0.02, 0.04, 0.08, 0.16, 0.3, 0.3, and the rest
    assert calls[-1] - calls[0] >= 0.99, "the condition is tried once more at the deadline"


def test_a_stop_ends_the_wait_at_once() -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    began = time.monotonic()
    with pytest.raises(Interrupted, match="the moon to rise"):
        wait_until(lambda: False, "the moon to rise", 60.0, stop=stop)
    assert time.monotonic() - began < 5.0


def test_an_error_of_the_condition_passes() -> None:
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0, "nothing", 5.0)


def test_a_call_that_takes_until_the_deadline_is_not_the_last_one() -> None:
    """What it saw is as old as its beginning: a busy host may answer once in that time."""
    answers = iter([False, True])

    def slow() -> bool:
        time.sleep(0.1)
        return next(answers)

    assert wait_until(slow, "an answer", 0.05)


def test_who_answers_slowly_is_asked_less_often() -> None:
    assert pause_after(0.01, 0.5) == 0.5
    assert pause_after(0.4, 0.5) == pytest.approx(1.2)
    assert pause_after(60.0, 0.5) == 3.0
    assert pause_after(60.0, 5.0) == 5.0


def test_slow_answers_leave_time_for_what_is_waited_for() -> None:
    asked: list[float] = []

    def slow() -> bool:
        asked.append(time.monotonic())
        time.sleep(0.1)
        return len(asked) == 3

    wait_until(slow, "an answer", 60.0, longest_pause=0.02)
    assert all(later - earlier >= 0.4 for earlier, later in pairwise(asked))


def test_whoever_waits_for_a_thread_gets_its_error() -> None:
    assert within(60.0, lambda: 1) == 1
    assert within(0.0, threading.Event().wait) is None
    error = ClusterlabError("no")

    def refuse() -> None:
        raise error

    assert within(60.0, refuse) is error
    empty: dict[str, int] = {}
    with pytest.raises(KeyError):
        within(60.0, lambda: empty["gone"])

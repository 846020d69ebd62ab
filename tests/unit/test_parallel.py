from __future__ import annotations

import _thread
import threading
import time

import pytest

from clusterlab.errors import ClusterlabError, HostError, Several
from clusterlab.parallel import parallel, results_of


def test_every_result_and_every_error_comes_back_in_order() -> None:
    def work(number: int) -> int:
        time.sleep(0.02 * (5 - number))  # the last ends first
        if number % 2:
            raise HostError(f"host{number}", "does not answer")
        return number

    outcomes = parallel(work, range(5))
    assert [str(one) for one in outcomes] == ["0", "host1: does not answer", "2", "host3: does not answer", "4"]
    with pytest.raises(Several, match=r"host1: does not answer\nhost3: does not answer"):
        results_of(outcomes)
    with pytest.raises(HostError, match="host1"):
        results_of(outcomes[:3])
    assert results_of(outcomes[2:3]) == [2]
    assert parallel(work, []) == []


def test_no_more_than_the_limit_run_at_the_same_time() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    parallel(work, range(12), limit=3)
    assert most == 3


def test_a_defect_is_raised_after_all_have_ended() -> None:
    ended: list[int] = []

    def work(number: int) -> None:
        if number == 0:
            raise ZeroDivisionError
        time.sleep(0.05)
        ended.append(number)

    with pytest.raises(ZeroDivisionError):
        parallel(work, range(4))
    assert sorted(ended) == [1, 2, 3]


def test_an_interrupt_drops_what_has_not_begun_and_stops_what_runs() -> None:
    stop = threading.Event()
    begun: list[int] = []
    ended: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 1:
            _thread.interrupt_main()
        stop.wait(30.0)
        ended.append(number)

    with pytest.raises(KeyboardInterrupt):
        parallel(work, range(20), limit=2, stop=stop)
    assert sorted(ended) == sorted(begun)
    assert len(begun) <= 3, "what had not begun is dropped"


def test_an_interrupt_without_a_stop_does_not_wait_for_what_hangs() -> None:
    hangs = threading.Event()

    def work(number: int) -> None:
        if number == 1:
            _thread.interrupt_main()
        hangs.wait(10.0)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        parallel(work, range(3), limit=2)
    assert time.monotonic() - began < 5.0
    hangs.set()


def test_errors_are_of_ours() -> None:
    def work(_: str) -> str:
        raise ClusterlabError("no")

    (outcome,) = parallel(work, ["one"])
    assert isinstance(outcome, ClusterlabError)

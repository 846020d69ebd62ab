from __future__ import annotations

import signal
import threading
import time

import pytest

from clusterlab.pipeline.deadline import Deadline, Passed


def test_work_is_ended_as_an_interrupt_ends_it() -> None:
    deadline = Deadline(0.4)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt, match=r"the deadline of 0\.4 s has passed"), deadline.work():
        threading.Event().wait(10)
    assert time.monotonic() - began < 2
    assert deadline.passed
    assert isinstance(deadline.interruption(), Passed)


def test_work_that_ends_in_time_is_left_alone() -> None:
    deadline = Deadline(60)
    with deadline.work():
        pass
    assert not deadline.passed
    assert not isinstance(deadline.interruption(), Passed)


def test_nothing_is_left_set() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with Deadline(60).work():
        pass
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_end_has_time_of_its_own_when_work_took_all() -> None:
    deadline = Deadline(0.01)
    with pytest.raises(Passed), deadline.work():
        threading.Event().wait(5)
    with deadline.closing():
        threading.Event().wait(0.1)

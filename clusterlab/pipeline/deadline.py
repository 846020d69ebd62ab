"""One deadline for a whole run.

When it passes, what is under way is ended exactly as Ctrl-C ends it, since everything handles that in order already.
The last part of the time is kept for collecting logs, cleaning up and writing.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

CLOSING_MOST = 600.0  # seconds that are kept for the end
CLOSING_PART = 0.25
CLOSING_LEAST = 30.0
AGAIN_LEAST = 5.0


class Passed(KeyboardInterrupt):
    """The deadline has passed: ends what is under way as an interrupt does."""


class Deadline:
    """`seconds` from now. Works in the main thread alone, where signals arrive.

    Clock jumps do not move it.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.passed = False
        self._end = time.monotonic() + seconds
        self._closing = min(CLOSING_MOST, seconds * CLOSING_PART)

    def interruption(self) -> KeyboardInterrupt:
        """What ended something that does not raise when interrupted.

        The deadline, or a person.
        """
        return self._passed() if self.passed else KeyboardInterrupt()

    @contextmanager
    def work(self) -> Iterator[None]:
        """Raise Passed in the block when only the time for the end remains."""
        with self._alarm(self._end - self._closing - time.monotonic()):
            yield

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Raise Passed in the block when all the time is over; some is given in any case."""
        with self._alarm(max(CLOSING_LEAST, self._end - time.monotonic())):
            yield

    @contextmanager
    def _alarm(self, seconds: float) -> Iterator[None]:
        before = signal.signal(signal.SIGALRM, self._ring)
        # It rings again: what is under way may end in order, but not take all the time that is kept for the end.
        signal.setitimer(signal.ITIMER_REAL, max(0.001, seconds), max(AGAIN_LEAST, self._closing / 2))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        self.passed = True
        raise self._passed()

    def _passed(self) -> Passed:
        return Passed(f"the deadline of {self.seconds:g} s has passed")

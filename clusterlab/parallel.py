"""The same work for many items at once, losing no result and no error."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from threading import Condition, Event
from typing import TypeVar

from clusterlab.errors import ClusterlabError, Several

T = TypeVar("T")
R = TypeVar("R")

LIMIT = 8


def parallel(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    limit: int = LIMIT,
    name: str = "worker",
    stop: Event | None = None,
) -> list[R | ClusterlabError]:
    """What `function` returns for each item, or the ClusterlabError that it raised.

    In the order of the items.

    At most `limit` items are worked on at the same time, by threads called `name`. Any other exception is a defect:
    it is raised once all items have ended.

    When this thread is interrupted, items that have not begun are dropped and the interrupt is raised. With `stop`,
    that event is set and what is running is waited for first; without it, what is running is left to end by itself
    (as a command on a host does when its connection is closed).
    """
    work = list(items)
    if len(work) < 2 and stop is None:
        return [_outcome(function, item) for item in work]
    turn = _Turn()
    pool = ThreadPoolExecutor(max_workers=max(1, min(limit, len(work))), thread_name_prefix=name)
    try:
        futures = [pool.submit(turn.take, function, item) for item in work]
        for future in futures:
            future.exception()  # waits, and raises nothing but an interrupt of this thread
    except BaseException:
        turn.close()
        pool.shutdown(wait=False, cancel_futures=True)
        if stop is not None:
            stop.set()
            turn.wait()
        raise
    pool.shutdown()
    return [future.result() for future in futures]


class _Turn:
    """Counts the items that are worked on, and lets none begin once it is closed.

    The pool itself does not know: it forgets a thread whose start was interrupted, and that thread works on.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._running = 0
        self._closed = False

    def take(self, function: Callable[[T], R], item: T) -> R | ClusterlabError:
        with self._changed:
            if self._closed:
                raise CancelledError
            self._running += 1
        try:
            return _outcome(function, item)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True

    def wait(self) -> None:
        """Wait until nothing runs."""
        with self._changed:
            self._changed.wait_for(lambda: self._running == 0)


def results_of(outcomes: Iterable[R | ClusterlabError]) -> list[R]:
    """The results when nothing failed; else raises the error, or all errors as one."""
    outcomes = list(outcomes)
    errors = [outcome for outcome in outcomes if isinstance(outcome, ClusterlabError)]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise Several(errors)
    return [outcome for outcome in outcomes if not isinstance(outcome, ClusterlabError)]


def _outcome(function: Callable[[T], R], item: T) -> R | ClusterlabError:
    try:
        return function(item)
    except ClusterlabError as error:
        return error

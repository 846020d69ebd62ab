"""Carry out changes in the order of their dependencies, in parallel.

Every wait has a deadline.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType

from clusterlab.chains import chain_lengths
from clusterlab.errors import ClusterlabError
from clusterlab.plan.report import Done, Failed, Report, Skipped
from clusterlab.progress import Progress
from clusterlab.resources.base import Change, Key
from clusterlab.resources.observed import MOST

GRACE = 20.0  # seconds that changes under way get to end after an interrupt
_POLL = 0.5  # seconds; an interrupt is noticed only between waits


def carry_out(
    changes: Sequence[Change],
    progress: Progress,
    per_host: int = MOST,
    limit: int = 16,
    grace: float = GRACE,
    bounds: Mapping[str, int] = MappingProxyType({}),
) -> Report:
    """Carry out `changes`, each after those that it needs.

    At most `per_host` at a time on a host, and `limit` in total.

    `bounds` has the hosts that bear another number. Of the changes that could begin, the one with the longest chain of
    others behind it begins first. A change that fails or is blocked stops only those that need it. A need without a
    change of its own is already met. After Ctrl-C no further change starts; running ones get up to `grace` seconds to
    end (a second Ctrl-C ends that wait), and the report is marked `interrupted`. Raises ValueError when changes depend
    on each other in a cycle or two have the same key, which is a defect of clusterlab.
    """
    run = _Run(changes, progress, per_host, limit, bounds)
    try:
        run.complete()
    except KeyboardInterrupt:
        run.stop(grace)
    return run.report


@dataclass(frozen=True)
class _Ended:
    key: Key
    seconds: float
    error: BaseException | None
    note: str


class _Run:
    """The execution of a plan.

    The main thread starts changes and collects their results.
    """

    def __init__(
        self, changes: Sequence[Change], progress: Progress, per_host: int, limit: int, bounds: Mapping[str, int]
    ) -> None:
        self.report = Report()
        self._progress = progress
        self._per_host = per_host
        self._limit = limit
        self._bounds = bounds
        self._changes = {change.key: change for change in changes}
        self._sorter = _sorted(changes, self._changes)
        self._behind = _behind(self._changes)
        self._ready: list[Key] = []
        self._running: set[Key] = set()
        self._ended: queue.SimpleQueue[_Ended] = queue.SimpleQueue()
        # Why a change was not carried out: the first failures behind it.
        self._causes: dict[Key, tuple[Key, ...]] = {}

    def complete(self) -> None:
        while self._sorter.is_active():
            self._ready = self._going(sorted([*self._ready, *self._sorter.get_ready()], key=self._urgency))
            self._ready = self._waiting(self._ready)
            if self._running:
                self._collect(self._wait(None))

    def stop(self, grace: float) -> None:
        self.report.interrupted = True
        deadline = time.monotonic() + grace
        try:
            if self._running:
                self._progress.say("interrupted", f"waiting up to {grace:.0f} s for {_names(self._running)}")
            while self._running and time.monotonic() < deadline:
                self._collect(self._wait(deadline))
        except KeyboardInterrupt:
            self._progress.say("interrupted", f"no longer waiting for {_names(self._running)}")
        self.report.unfinished = [self._changes[key] for key in self._running]
        settled = {one.change.key for one in self.report.done} | self._causes.keys() | self._running
        self.report.waiting = [change for key, change in self._changes.items() if key not in settled]

    def _urgency(self, key: Key) -> float:
        return -self._behind[key]

    def _going(self, ready: Sequence[Key]) -> list[Key]:
        """The ready ones without those that are blocked or whose needs are not met.

        These are settled at once.
        """
        going = []
        for key in ready:
            change = self._changes[key]
            causes = tuple(sorted({cause for need in change.needs for cause in self._causes.get(need, ())}))
            if causes:
                self.report.skipped.append(Skipped(change, causes))
                self._mark_stopped(key, causes)
            elif change.blocked:
                self.report.blocked.append(change)
                self._mark_stopped(key, (key,))
            else:
                going.append(key)
        return going

    def _mark_stopped(self, key: Key, causes: tuple[Key, ...]) -> None:
        self._causes[key] = causes
        self._sorter.done(key)

    def _waiting(self, ready: Sequence[Key]) -> list[Key]:
        """Start what may begin now; what has to wait for others on its host."""
        busy = Counter(key.host for key in self._running)
        waiting = []
        for key in ready:
            bound = self._bounds.get(key.host, self._per_host)
            if len(self._running) < self._limit and busy[key.host] < bound:
                busy[key.host] += 1
                self._running.add(key)
                # A daemon thread: a change that does not end after an interrupt must not keep the process alive.
                threading.Thread(target=self._carry_out, args=(self._changes[key],), name=str(key), daemon=True).start()
            else:
                waiting.append(key)
        return waiting

    def _carry_out(self, change: Change) -> None:
        began = time.monotonic()
        error: BaseException | None = None
        note: str | None = None
        try:
            with self._progress.task(change.key.host, f"{change.action} {change.key.kind} {change.key.name}"):
                note = change.carry_out()
        except ClusterlabError as raised:
            error = raised
        finally:  # any other exception is a defect: it propagates here, and the main thread raises it too
            self._ended.put(_Ended(change.key, time.monotonic() - began, error or sys.exc_info()[1], note or ""))

    def _wait(self, deadline: float | None) -> _Ended | None:
        left = _POLL if deadline is None else max(0.0, min(_POLL, deadline - time.monotonic()))
        try:
            return self._ended.get(timeout=left)
        except queue.Empty:
            return None

    def _collect(self, ended: _Ended | None) -> None:
        if ended is None:
            return
        self._running.discard(ended.key)
        change = self._changes[ended.key]
        if ended.error is None:
            self.report.done.append(Done(change, ended.seconds, ended.note))
            self._sorter.done(ended.key)
        elif isinstance(ended.error, ClusterlabError):
            self.report.failed.append(Failed(change, ended.error))
            self._mark_stopped(ended.key, (ended.key,))
        else:
            raise ended.error


def _sorted(changes: Sequence[Change], known: dict[Key, Change]) -> TopologicalSorter[Key]:
    if len(known) < len(changes):
        twice = [key for key, number in Counter(change.key for change in changes).items() if number > 1]
        raise ValueError(f"more than one change for {_names(twice)}")
    sorter = TopologicalSorter({change.key: change.needs & known.keys() for change in changes})
    try:
        sorter.prepare()
    except CycleError as error:
        raise ValueError(f"changes depend on each other: {' → '.join(map(str, error.args[1]))}") from error
    return sorter


def _behind(changes: Mapping[Key, Change]) -> Mapping[Key, float]:
    """What the longest chain of changes weighs that begins with each."""
    followers: dict[Key, list[Key]] = {key: [] for key in changes}
    for key, change in changes.items():
        for need in change.needs & changes.keys():
            followers[need].append(key)
    return chain_lengths(followers, lambda key: changes[key].weight)


def _names(keys: Sequence[Key] | set[Key]) -> str:
    return ", ".join(sorted(map(str, keys)))

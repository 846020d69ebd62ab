"""Preconditions while checks run.

Facts are read once for all checks, and again when something fails.

A check ends as blocked when a precondition without which it cannot be asked is not met, or when it fails and a
precondition of what it is about is not met. Before a check is blocked without having been asked, the facts are read
again, after _GRACE seconds if it waits (`within`), unless they were just read and confirmed. A precondition that
may soon be met by itself, such as a container that is just starting, never cuts a wait short.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from threading import Event, Lock

from clusterlab.model import Lab
from clusterlab.parallel import parallel
from clusterlab.remote import Hosts
from clusterlab.results import Cause

from .attempts import Interrupted
from .dependencies import Dependencies
from .facts import Facts, observe
from .preconditions import Failure, Precondition

_GRACE = 5.0
_FRESH = 3.0  # seconds for which facts are used again, while a check that fails is asked again and again, or is blocked
_SILENT_FRESH = 20.0  # the same for a host that was silent for long, or its engine: asking it takes that long again


class Guard:
    """The facts of a lab's hosts while its checks run, and the causes found.

    Safe to use from threads.
    """

    def __init__(self, lab: Lab, hosts: Hosts) -> None:
        self._lab = lab
        self._hosts = hosts
        self._locks = {name: Lock() for name in lab.inventory.hosts}
        self._facts: dict[str, Facts] = {}
        self._down_since: dict[str, float] = {}  # hosts whose engine did not answer whenever it was asked since then
        self._causes: dict[tuple[str, str], Cause] = {}  # by code and subject, as they were first described

    def begin(self) -> None:
        """Read the facts of every host, all at the same time."""
        parallel(lambda name: self.facts(name, 0.0), self._lab.inventory.hosts, name="facts")

    def facts(self, host: str, since: float) -> Facts:
        """The facts of a host, read after `since` (of time.monotonic)."""
        with self._locks[host]:
            found = self._facts.get(host)
            if found is None or self._is_stale(found, since):
                found = self._read(host, found)
                self._facts[host] = found
                if found.answers:
                    self._down_since.pop(host, None)
                else:
                    self._down_since.setdefault(host, found.began)
            return found

    def _is_stale(self, found: Facts, since: float) -> bool:
        """Whether facts must be read again.

        What took long counts for a while, but not before it was confirmed: a host or engine may have been busy once.
        """
        if not _is_silent(found):
            return found.began < since
        return self._down_since.get(found.host) == found.began

    def _read(self, host: str, before: Facts | None) -> Facts:
        """The facts of a host now.

        While an earlier question still hangs there, they stay as they are.
        """
        found = observe(self._hosts[host], frozenset(self._lab.inventory.hosts[host].roles))
        if before is None or before.answers or found.asked:
            return found
        return replace(before, began=found.began, took=found.took)

    def lasted(self, cause: Cause) -> float:
        """For how many seconds the host of a cause, or its engine, has been dead; else 0.

        A manager that is down does not show how long another host's node has been drained.
        """
        now = time.monotonic()
        return now - self._down_since.get(cause.subject, now)

    def unreachable(self, host: str) -> str:
        """Why no command runs on a host that was found so.

        "" when nothing is known to be in the way.
        """
        found = self._facts.get(host)
        return self._recent(host).unreachable if found and found.unreachable else ""

    def silent(self, host: str) -> str:
        """Why the engine of a host that was found silent would not answer in time.

        "" when nothing is known.
        """
        found = self._facts.get(host)
        if not found or not (found.unreachable or found.engine_silent):
            return ""
        found = self._recent(host)
        return found.unreachable or (found.engine_down if found.engine_silent else "")

    def processors(self, host: str) -> int:
        """How many a host has; 0 when that is not known."""
        found = self._facts.get(host)
        return found.processors if found else 0

    def managers(self) -> list[str]:
        """The managers that were found at work, the leader first."""
        nodes = {
            name: found.nodes
            for name in self._lab.inventory.with_role("swarm_manager")
            if (found := self._facts.get(name)) and found.nodes is not None
        }
        leaders = {address for seen in nodes.values() for address, node in seen.items() if node.leads}
        addresses = {name: str(self._lab.inventory.hosts[name].address) for name in nodes}
        return sorted(nodes, key=lambda name: addresses[name] not in leaders)

    def _recent(self, host: str) -> Facts:
        return self.facts(host, time.monotonic() - _SILENT_FRESH)

    def failure(self, preconditions: Sequence[Precondition], since: float) -> tuple[Precondition, Failure] | None:
        """The first precondition that is not met, by facts read after `since`."""
        for one in preconditions:
            facts = {host: self.facts(host, since) for host in one.hosts}
            if not all(found.complete for found in facts.values()):
                continue  # nothing is blocked by what is not known
            if found := one.failure(facts):
                cause = self._causes.setdefault((found.cause.code, found.cause.subject), found.cause)
                return one, Failure(cause, found.passing)
        return None


class CheckGuard:
    """The preconditions of one check while it runs."""

    def __init__(self, guard: Guard, needs: Dependencies, interrupted: Event) -> None:
        self._guard = guard
        self._needs = needs
        self._interrupted = interrupted
        self._began = time.monotonic()
        self._first: dict[Cause, float] = {}  # when each failed precondition was first seen

    def before(self, waits: bool) -> Cause | None:
        """The cause that keeps the check from being asked.

        `waits` when it has a `within`.
        """
        found = self._guard.failure(self._needs.before, 0.0)
        if found is None or found[1].passing:
            return None
        if waits and (left := _GRACE - self._guard.lasted(found[1].cause)) > 0 and self._interrupted.wait(left):
            raise Interrupted("interrupted")
        now = time.monotonic()
        # What has lasted was read at least twice: all checks that it blocks share a reading, not one each.
        confirmed = self._guard.lasted(found[1].cause) >= _GRACE
        again = self._guard.failure(self._needs.before, now - _FRESH if confirmed else now)
        return again[1].cause if again and not again[1].passing else None

    def after(self, last: bool) -> Cause | None:
        """The cause of an attempt that failed; `last` when the check is not asked again.

        Before the last attempt only a cause counts that has lasted, and does not pass by itself.
        """
        began = time.monotonic()
        since = self._began if last else max(self._began, began - _FRESH)
        found = self._guard.failure(self._needs.during, since)
        if found is None:
            self._first.clear()
            return None
        _, failure = found
        if last:
            return failure.cause
        first = self._first.setdefault(failure.cause, began)
        lasted = max(time.monotonic() - first, self._guard.lasted(failure.cause))
        return failure.cause if lasted >= _GRACE and not failure.passing else None


def _is_silent(facts: Facts) -> bool:
    """Whether waiting for a host or its engine took long, and has just ended."""
    ended = facts.began + facts.took
    return not facts.answers and facts.took >= _GRACE and time.monotonic() - ended < _SILENT_FRESH

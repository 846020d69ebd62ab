"""A rehearsal: the change, what was unavailable meanwhile.

What differs afterwards, and the way back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from clusterlab.capabilities import Capabilities
from clusterlab.drills.availability import Availability, availability
from clusterlab.drills.drilling import FETCH_SECONDS, Drilling
from clusterlab.drills.expectations import STREAK
from clusterlab.drills.of_stack import label, lasting
from clusterlab.drills.survival import reason
from clusterlab.drills.ticking import fetch_all
from clusterlab.errors import ClusterlabError
from clusterlab.faults import Scene
from clusterlab.model import Lab
from clusterlab.pipeline.session import Session
from clusterlab.results import Evidence, Outcome, Result

from .order import require_rehearsable
from .probers import measured
from .steps import Step, steps, take
from .view import View, differences, view

STEADY_SECONDS = 10.0
_THERE, _BACK = "the change", "the way back"

Places = Mapping[str, Mapping[str, int]]
"""How many tasks of each service run, by host."""


@dataclass
class Rehearsal:
    """What became of a rehearsal.

    A result for each step, and sentences about all of it.
    """

    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def rehearse(session: Session, after: Lab, found: Rehearsal, *, back: bool = True) -> None:
    """Carry out the change to another inventory, and go back.

    A step that fails ends it, and is its last result.

    What was seen until an interrupt is in `found`. Raises UsageError for a change that cannot be rehearsed, and
    NotBegun when not all is well before.
    """
    require_rehearsable(session.lab.inventory, after.inventory)
    work = _Work(session, after, found)
    with work.drilling.measuring():
        work.steady()
        first = view(work.scene)
        if work.carry_out(_THERE, after, first):
            work.note_differences("after the change", first, view(work.scene))
            if back and work.carry_out(_BACK, session.lab, first):
                work.note_differences("after going back", first, view(work.scene), failed=True)


def scene_of(session: Session, after: Lab) -> Scene:
    """The lab for a rehearsal.

    Whichever host manages the Swarm before or after the change is asked as a manager.
    """
    return Scene(_either(session.lab, after), session.hosts, session.progress)


class _Work:
    """A rehearsal while it goes on."""

    def __init__(self, session: Session, after: Lab, found: Rehearsal) -> None:
        self.rehearsal = found
        self.scene = scene_of(session, after)
        self.drilling = Drilling(self.scene, measured(session.lab, session.unsupported, STEADY_SECONDS))
        self._lab = session.lab
        self._unsupported: Capabilities = session.unsupported
        self._never = threading.Event()

    def steady(self) -> None:
        """Measure for some seconds before.

        Raises NotBegun unless everything is available.
        """
        with self.scene.progress.task(self.scene.lab.name, f"measuring for {STEADY_SECONDS:g} s before the change"):
            self.drilling.wait(self.drilling.began + STEADY_SECONDS, self._never)
        self.drilling.require_steady()

    def carry_out(self, way: str, lab: Lab, first: View) -> bool:
        """All steps to an inventory; whether each was carried out."""
        number = 0
        for step in steps(lab, self.scene, self._unsupported):
            number += 1
            if not self._step(way, step, lab, first):
                return False
        if not number:
            self._add(Result(way, "nothing to change", "rehearse", Outcome.PASS))
        return True

    def _step(self, way: str, step: Step, lab: Lab, first: View) -> bool:
        places = view(self.scene).tasks
        began = time.monotonic()
        error: ClusterlabError | None = None
        if step.of_machine:
            self.drilling.stopped.append((step.host, began))
        try:
            with _fetching(self.drilling):
                take(step, lab, self.scene, self._unsupported, first)
        except ClusterlabError as raised:
            error = raised
        self._settle()
        evidence = [*self._evidence(way, step, began, places)]
        wanted = "the step is carried out"
        if error is not None:
            evidence.append(Evidence(step.host, "", wanted, error.message, error.detail, holds=False))
        outcome = Outcome.ERROR if error else Outcome.PASS if all(one.holds for one in evidence) else Outcome.FAIL
        hint, seconds = error.remedy if error else "", time.monotonic() - began
        self._add(Result(way, step.title, "rehearse", outcome, 1, seconds, tuple(evidence), hint))
        if error is not None:
            self.rehearsal.notes.append(f"{way} stopped at {step.host or 'the Swarm'}: {error.message}")
        return error is None

    def _settle(self) -> None:
        """Measure a little longer, so that what a step did is seen."""
        self.drilling.wait(time.monotonic() + STREAK * self.drilling.slowest(1.0), self._never)

    def _evidence(self, way: str, step: Step, began: float, places: Places) -> Iterator[Evidence]:
        for name, series in self.drilling.every():
            seen = availability(series.between(began, time.monotonic() - 2 * series.period), began)
            if seen.failed:
                self.rehearsal.notes.append(self._sentence(way, step, name, seen, places))
            well = not seen.failed and bool(seen.ticks)
            yield Evidence(name, step.title, f"{name} is available", str(seen), holds=well)

    def _sentence(self, way: str, step: Step, name: str, seen: Availability, places: Places) -> str:
        what = name.removesuffix(" anywhere")
        said = f"{what} is away for {seen.unavailable:.0f} s when {step.host or 'the Swarm'} is changed"
        if way == _BACK:
            said += " back"
        for stack in (one.valid() for one in self._lab.stacks.values()):
            for service in lasting(stack):
                if label(service.name) == name and step.host:
                    before = tuple(places.get(stack.scoped(service.name), {}))
                    return f"{said}, because {reason(self._lab, stack, service, step.host, before)}"
        return said

    def note_differences(self, when: str, first: View, now: View, failed: bool = False) -> None:
        """A sentence for whatever differs; after going back, only tasks may be elsewhere."""
        found = differences(first, now)
        self.rehearsal.notes += [f"{when}: {one}" for one in found] or [f"{when}: nothing differs"]
        if failed:
            facts = [one for one in found if ": tasks on " not in one]
            evidence = Evidence("", "", "the cluster is as before", "; ".join(facts) or "it is", holds=not facts)
            outcome = Outcome.FAIL if facts else Outcome.PASS
            self._add(Result(_BACK, "the cluster is as before", "rehearse", outcome, evidence=(evidence,)))

    def _add(self, result: Result) -> None:
        self.rehearsal.results.append(result)


@contextmanager
def _fetching(drilling: Drilling) -> Iterator[None]:
    """What probers see is fetched while the block runs.

    So that loops of a host that restarts are started again.
    """
    done = threading.Event()

    def fetch() -> None:
        while not done.wait(FETCH_SECONDS):
            fetch_all(drilling.ticking)

    thread = threading.Thread(target=fetch, name="prober", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _either(before: Lab, after: Lab) -> Lab:
    """The lab with the role of a manager for every host that has it before or after."""
    managers = {*before.inventory.with_role("swarm_manager"), *after.inventory.with_role("swarm_manager")}
    hosts = {
        name: host.model_copy(update={"roles": [*host.roles, "swarm_manager"]})
        if name in managers and "swarm_manager" not in host.roles
        else host
        for name, host in before.inventory.hosts.items()
    }
    return replace(before, inventory=before.inventory.model_copy(update={"hosts": hosts}))

"""The one way to inject a fault.

Armed, recorded, injected, proven, and healed whatever happens.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from clusterlab import workstation
from clusterlab.errors import ClusterlabError, DeadlineExceeded, HostError
from clusterlab.machines.state import LabState
from clusterlab.model.faults import FaultParameters, FaultSpec
from clusterlab.parallel import parallel, results_of
from clusterlab.waiting import wait_until

from . import dead_man, safety
from .errors import HEAL, EndedEarly, NoEffect, NotHealed, Refused, Residue, Unsupported
from .flapping import end_flaps
from .heal import heal_hosts, look, residue, undo_outside
from .kind import (
    NOTHING,
    REFUSED,
    UNSUPPORTED,
    Before,
    FaultKind,
    FromOutside,
    OnHost,
    Part,
    Seen,
    shown,
)
from .kinds import FAULTS
from .record import FaultRecord, forget, recorded, remember
from .residue import fingerprints
from .scene import Scene
from .watchdog import Watchdog

_LONGEST_SECONDS = 900.0


class Injection:
    """A fault that is injected. `seen` is the proof that it took effect."""

    def __init__(self, kind: FaultKind[Any], params: FaultParameters, scene: Scene) -> None:
        self.kind = kind
        self.params = params
        self.scene = scene
        self.seen = ""
        self.began = time.monotonic()
        self.healed = False
        self.seen_gone = ""
        self._record = FaultRecord.new(kind.name, params.model_dump(by_alias=True, exclude_unset=True))
        self._parts: list[Part] = []
        self._watchdog: Watchdog | None = None

    def __str__(self) -> str:
        return f"{self.kind.name} ({shown(self.params)})"

    @property
    def id(self) -> str:
        """What its tables, units and folders on hosts are named after."""
        return self._record.id

    @property
    def hosts(self) -> list[str]:
        """The hosts on which something was done."""
        return self._record.hosts

    @property
    def limit(self) -> float:
        """Seconds from its injection until it heals itself."""
        return min(self.params.lasts + dead_man.MARGIN_SECONDS, _LONGEST_SECONDS)

    def planned(self) -> list[Part]:
        """What it would do, and where. Raises NoEffect when there is nothing that it could break."""
        return [self._named(part) for part in self.kind.parts(self.params, self.scene)]

    def begin(self) -> None:
        """Arm, record, inject and prove it.

        Raises ClusterlabError: what was begun is then to be healed.
        """
        kind, params, scene = self.kind, self.params, self.scene
        self._parts = self.planned()
        outside = [part for part in self._parts if isinstance(part, FromOutside)]
        self._record = self._record.model_copy(
            update={
                "before": {"id": self.id, **kind.before(params, scene)},
                "heals": {part.host: part.heal for part in self._parts if isinstance(part, OnHost)},
                "outside": {part.host: part.operation for part in outside},
                "flaps": {part.host: part.flaps for part in outside if part.flaps},
                "fingerprints": fingerprints(scene, scene.lab.inventory.hosts),
            }
        )
        remember(scene.lab.name, self._record)
        self._on_hosts(
            {host: dead_man.arm(self.id, self._description(), heal) for host, heal in self._record.heals.items()}
        )
        if self._record.outside:
            self._watchdog = Watchdog(scene.lab.name, self.id, self.limit)
        self.began = time.monotonic()
        self._on_hosts({part.host: part.inject for part in self._parts if isinstance(part, OnHost)})
        at_once = [part for part in outside if not part.flaps]
        if at_once:
            carry_out = scene.outside.carry_out
            results_of(parallel(lambda one: carry_out(one.host, one.operation, one.value), at_once, name="machine"))
        self._on_hosts(dict.fromkeys(self._record.heals, dead_man.extend(self.id, self.limit)))
        self._prove()

    def still(self) -> str:
        """What shows that it is still in effect; raises EndedEarly when nothing does."""
        self._require_armed()
        seen = self._look(self.kind.effect)
        if not seen.holds:
            raise EndedEarly(f"{self} ended before it was healed: {seen.text}")
        self.seen = seen.text
        return seen.text

    def heal(self) -> None:
        """Heal it, prove that it is gone, and that nothing remains.

        Once it is healed, nothing happens.

        Raises NotHealed and Residue; then the lab stays marked. Raises EndedEarly when the hosts had healed themselves.
        """
        if self.healed:
            return
        scene, record = self.scene, self._record
        with scene.progress.task(scene.lab.name, f"healing {self}"):
            early = self._undo()
            try:
                self.seen_gone = self._wait(self.kind.gone, "it to be gone", self.kind.heals_within)
            except DeadlineExceeded as error:
                raise NotHealed(f"{self} was healed, but is still in effect: {error.message}", remedy=HEAL) from error
            if remaining := residue(scene, record, self.kind.leaves):
                raise Residue(f"{self} left something behind: {'; '.join(remaining)}", remedy=HEAL)
            scene.run(dict.fromkeys(record.heals, dead_man.forget(self.id)))
        forget(scene.lab.name, [self.id])
        self._let_go()
        self.healed = True
        if early:
            raise EndedEarly(f"{self} ended before it was healed: its time was up, and it had healed itself")

    def leave(self) -> None:
        """Leave the fault in effect.

        `clusterlab heal` heals it, and otherwise its dead-man switches, once its time is up.
        """
        if self._watchdog is not None:
            self._watchdog.stay()

    def _let_go(self) -> None:
        if self._watchdog is not None:
            self._watchdog.end()

    def _undo(self) -> bool:
        """Undo it everywhere; whether a host had healed itself."""
        early = self._watchdog is not None and self._watchdog.ended
        end_flaps(self.scene.lab.name, [self._record])
        if self._record.outside:
            undo_outside(self.scene.outside, self._record)
        return heal_hosts(self.scene, self._record) or early

    def _named(self, part: Part) -> Part:
        """The part with the fault's id where its scripts say ID."""
        if isinstance(part, FromOutside):
            return part
        return OnHost(part.host, part.inject.replace("FAULT_ID", self.id), part.heal.replace("FAULT_ID", self.id))

    def _description(self) -> str:
        record = self._record
        known = {"id": record.id, "lab": self.scene.lab.name, "kind": record.kind, "params": record.params}
        return json.dumps({**known, "began": record.began, "by": workstation.owner()})

    def _on_hosts(self, scripts: dict[str, str]) -> None:
        for name, done in self.scene.run(scripts).items():
            reason = done.stderr.strip() or f"exit code {done.exit}"
            if done.exit == REFUSED:
                raise Refused(f"{self.kind.name}: {name}: {reason}")
            if done.exit == UNSUPPORTED:
                raise Unsupported(f"{self.kind.name}: {name}: {reason}")
            if done.exit == NOTHING:
                raise NoEffect(f"{self} would have no effect: {name}: {reason}")
            if not done.ok:
                raise HostError(name, f"{self.kind.name} could not be injected", detail=done.output[-2000:])

    def _prove(self) -> None:
        try:
            self.seen = self._wait(self.kind.effect, "it to take effect", self.kind.within)
        except DeadlineExceeded as error:
            raise NoEffect(f"{self} had no effect: {error.message}") from error

    def _wait(self, shows: Callable[[Any, Scene, Before], Seen], what: str, seconds: float) -> str:
        seen: list[Seen] = []

        def holds() -> bool:
            seen[:] = [self._look(shows)]
            return seen[0].holds

        wait_until(holds, what, seconds, seen=lambda: seen[0].text)
        return seen[0].text

    def _look(self, shows: Callable[[Any, Scene, Before], Seen]) -> Seen:
        return look(shows, self.params, self.scene, self._record.before)

    def _require_armed(self) -> None:
        if self._watchdog is not None and self._watchdog.ended:
            raise EndedEarly(f"{self} ended before it was healed: its time was up")
        for name, done in self.scene.run(dict.fromkeys(self._record.heals, dead_man.fired(self.id))).items():
            if done.ok:
                raise EndedEarly(f"{self} ended before it was healed: {name} has healed itself")


@contextmanager
def injected(spec: FaultSpec, scene: Scene) -> Iterator[Injection]:
    """The fault is in effect inside the block, proven, and gone after it, proven too.

    Raises Unsupported and Refused before anything is done, NoEffect when nothing proves that it took effect, NotHealed,
    Residue and EndedEarly at the end. What a block raises goes on, with a note when healing failed.
    """
    injection = inject(spec, scene)
    try:
        yield injection
    except BaseException as error:
        _heal_after(injection, error)
        raise
    injection.heal()


def prepared(spec: FaultSpec, scene: Scene) -> Injection:
    """A fault that may be injected; nothing is done yet. Raises Unsupported and Refused."""
    kind: FaultKind[Any] = FAULTS[spec.name]
    safety.require_possible(kind, spec.params, scene.lab.inventory)
    params = kind.fixed(spec.params, scene)
    safety.require(kind, params, scene)
    return Injection(kind, params, scene)


def inject(spec: FaultSpec, scene: Scene) -> Injection:
    """Inject a fault, which is then to be healed; see `injected`.

    When this raises, it has healed what it began.
    """
    injection = prepared(spec, scene)
    with LabState(scene.lab.name).lock("fault"), scene.progress.task(scene.lab.name, f"injecting {injection}"):
        try:
            injection.begin()
        except BaseException as error:
            if any(one.id == injection.id for one in recorded(scene.lab.name)):
                _heal_after(injection, error)
            raise
    return injection


def _heal_after(injection: Injection, error: BaseException) -> None:
    """Heal a fault while another error is under way.

    That error gets a note when healing fails.
    """
    try:
        injection.heal()
    except ClusterlabError as failed:
        error.add_note(f"not healed: {failed.message}")
        injection.scene.progress.say(injection.scene.lab.name, f"not healed: {failed.message}; {HEAL}")

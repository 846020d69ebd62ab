"""Healing without the command that injected.

From the record in the lab's state, or from what the hosts remember.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from clusterlab.errors import ClusterlabError
from clusterlab.machines.outside import ABILITIES, UNDO, Operation, Outside
from clusterlab.model.faults import FaultParameters
from clusterlab.waiting import wait_until

from . import dead_man
from .errors import NoEffect, NotHealed
from .flapping import end_flaps
from .kind import Before, Seen
from .kinds import FAULTS
from .record import FaultRecord, forget_all, recorded
from .residue import differences, fingerprints
from .scene import Scene

ANSWER_SECONDS = 300.0
"""How long a machine may take to answer again: booting two emulated ones takes 100 s."""
_SETTLE_SECONDS = 15.0
_UNDOING: tuple[Operation, ...] = ("resume", "power_on", "plug", "unthrottle")


@dataclass
class Healed:
    """What `heal` found and did."""

    faults: list[str] = field(default_factory=list)
    """Each fault that was healed, in words."""
    remains: list[str] = field(default_factory=list)
    """What is not as it was before, a sentence each."""


def heal(scene: Scene, *, record: bool = True) -> Healed:
    """Heal every fault of the lab, prove that each is gone, and forget them.

    Without `record`, only what the hosts and machines themselves show is healed. What cannot be healed is raised as
    ClusterlabError, and the faults stay recorded.
    """
    healed = Healed()
    records = recorded(scene.lab.name) if record else []
    end_flaps(scene.lab.name, records)
    _undo_everything(scene, records)
    names = list(scene.lab.inventory.hosts)
    wait_until(
        lambda: all(scene.answers(name) for name in names),
        "every host to answer",
        ANSWER_SECONDS,
        seen=lambda: ", ".join(name for name in names if not scene.answers(name)) + " did not",
    )
    for one in records:
        heal_hosts(scene, one)
        healed.faults.append(str(one))
    known = {one.id for one in records}
    answers = scene.hosts.each(
        names, lambda host: host.run(dead_man.heal_all(scene.lab.name), timeout=60.0, check=True)
    )
    for name, answer in answers.items():
        if isinstance(answer, ClusterlabError):
            raise answer
        healed.faults += [f"{fault} on {name}" for fault in answer.stdout.split() if fault not in known]
    for one in records:
        healed.remains += remains(scene, one)
    forget_all(scene.lab.name)
    return healed


def pending(scene: Scene, *, record: bool = True) -> list[str]:
    """The faults that `heal` would heal, in words; changes nothing. A host that does not answer is one of them."""
    records = recorded(scene.lab.name) if record else []
    found, known = [str(one) for one in records], {one.id for one in records}
    script = dead_man.list_all(scene.lab.name)
    answers = scene.hosts.each(list(scene.lab.inventory.hosts), lambda host: host.run(script, timeout=30.0, check=True))
    for name, answer in answers.items():
        if isinstance(answer, ClusterlabError):
            found.append(f"whatever {name} remembers: {answer.message}")
            continue
        for line in filter(None, answer.stdout.splitlines()):
            try:
                one = json.loads(line)
            except ValueError:  # what injected it was killed while it wrote this
                found.append(f"a fault on {name} whose description is incomplete")
            else:
                found += [f"{one['kind']} ({one['id']}) on {name}"] if one["id"] not in known else []
    return found


def in_any_case(scene: Scene, *, record: bool = True) -> list[Operation]:
    """What `heal` does to every machine from outside, whether or not a fault is found there.

    Without a recorded fault all that faults could have done is undone; what is already so is not a change.
    """
    if record and recorded(scene.lab.name):
        return []
    abilities = scene.lab.inventory.kind.abilities
    return [operation for operation in _UNDOING if ABILITIES[operation] in abilities]


def heal_hosts(scene: Scene, record: FaultRecord) -> bool:
    """Run what heals a fault on its hosts, and disarm them.

    Whether one of them had healed itself before.
    """
    scripts = {host: f"({script}\n) || exit 1\n{dead_man.heal(record.id)}" for host, script in record.heals.items()}
    early = False
    for name, done in scene.run(scripts, timeout=60.0).items():
        if not done.ok:
            raise ClusterlabError(f"{name}: {record.kind} cannot be healed", detail=done.output[-2000:])
        early = early or "early" in done.stdout.split()
    return early


def remains(scene: Scene, record: FaultRecord) -> Iterator[str]:
    """What of a fault is still seen, and what is not as it was before it."""
    kind = FAULTS.get(record.kind)
    if kind is None:
        yield f"{record.kind}: no such kind of fault is installed, so its end was not verified"
        return
    params = kind.model.model_validate(record.params)
    seen: list[Seen] = []

    def gone() -> bool:
        seen[:] = [look(kind.gone, params, scene, record.before)]
        return seen[0].holds

    try:
        wait_until(gone, "it to be gone", kind.heals_within)
    except ClusterlabError:
        yield f"{record}: {seen[0].text}"
    yield from residue(scene, record, kind.leaves)


def look(shows: Callable[[Any, Scene, Before], Seen], params: FaultParameters, scene: Scene, before: Before) -> Seen:
    """What `effect` or `gone` of a kind shows.

    A host that cannot be asked shows nothing.
    """
    try:
        return shows(params, scene, before)
    except (NoEffect, NotHealed):
        raise
    except ClusterlabError as error:
        return Seen(False, error.message)


def residue(scene: Scene, record: FaultRecord, leaves: frozenset[str]) -> list[str]:
    """What is not as it was before a fault, once hosts had some seconds to settle."""
    if not record.fingerprints:
        return []
    found: list[str] = []

    def none() -> bool:
        found[:] = differences(record.fingerprints, fingerprints(scene, record.fingerprints), leaves)
        return not found

    try:
        wait_until(none, "hosts to be as before", _SETTLE_SECONDS)
    except ClusterlabError:
        return found
    return []


def undo_outside(outside: Outside, record: FaultRecord) -> None:
    """Undo what a fault did to machines from outside.

    One by one, since power for one is power for all of them.
    """
    for host, operation in record.outside.items():
        if operation in UNDO:
            outside.carry_out(host, UNDO[operation])


def _undo_everything(scene: Scene, records: Iterable[FaultRecord]) -> None:
    """Undo what was done from outside.

    What is recorded, and without a record whatever could have been done.
    """
    records = list(records)
    if records:
        for record in records:
            if record.outside:
                undo_outside(scene.outside, record)
        return
    operations = in_any_case(scene, record=False)
    for host in scene.lab.inventory.hosts:
        for operation in operations:
            scene.outside.carry_out(host, operation)

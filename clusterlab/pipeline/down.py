"""Removing a lab: the one way to do it, for every verb that removes one."""

from __future__ import annotations

from clusterlab.faults.heal import heal
from clusterlab.faults.record import recorded
from clusterlab.faults.scene import Scene
from clusterlab.machines import open_machines, recall_lab, recall_machines
from clusterlab.machines.record import NewerRecord, UnreadableRecord
from clusterlab.machines.saved_labs import SavedFolder
from clusterlab.machines.state import LabState
from clusterlab.model import Lab
from clusterlab.progress import Progress
from clusterlab.remote import Hosts

from .claim import claim, refuse_others
from .lock import Exclusive
from .locking import hosts_lock, lab_lock


def bring_down(name: str, given: Lab | None, progress: Progress, *, saved: bool = False) -> str:
    """Remove a lab's machines and its state; returns what is true then, for people.

    With `saved`, what was saved of the lab for its next start is removed, too.

    What was brought up counts, not what the inventory (`given`) says now. Without a record, or with a damaged one, the
    inventory's machines are looked for. Raises LabBusy, NewerRecord, and ClusterlabError when the lab is somebody
    else's or something could not be removed.
    """
    state = LabState(name)
    with lab_lock(name, Exclusive("down"), progress):
        try:
            record = state.read()
        except NewerRecord:
            raise
        except UnreadableRecord:
            if given is None:
                raise
            record = None
        if record is not None:
            refuse_others(name, record)
            if given is not None:
                claim(given)
        kept = SavedFolder(name)
        if saved and record is None and given is None and kept.exists:
            kept.remove()
            return "what was saved of it is removed"
        machines = open_machines(given) if given is not None and record is None else recall_machines(name)
        if machines.kind.foreign and recorded(name):
            _heal(given or recall_lab(name), progress)
        machines.down(progress)
        state.remove()
        if saved:
            kept.remove()
        if not kept.exists:
            return machines.kind.down
        saved_remains = "the lab as it was saved for the next start remains: `clusterlab down --saved` removes that"
        if not machines.kind.creates:
            return f"{machines.kind.down}; {saved_remains}"
        return "nothing remains but the lab as it was saved for the next start; `clusterlab down --saved` removes that"


def _heal(lab: Lab, progress: Progress) -> None:
    """Heal machines that go on without the lab.

    Raises ClusterlabError when one cannot be healed, LabBusy when another workstation is at work on one.
    """
    machines = open_machines(lab)
    with (
        Hosts(machines.targets()) as hosts,
        hosts_lock(lab, machines, hosts, Exclusive("down"), progress),
        progress.task(lab.name, "healing its faults"),
    ):
        for sentence in heal(Scene(lab, hosts, progress)).remains:
            progress.say(lab.name, f"remains: {sentence}")

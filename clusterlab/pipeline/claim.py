"""Whose a lab is: one name, one checkout, one user, one workstation."""

from __future__ import annotations

from clusterlab import workstation
from clusterlab.errors import ClusterlabError
from clusterlab.machines.record import Record
from clusterlab.machines.state import LabState
from clusterlab.model import Lab


def claim(lab: Lab, *, write: bool = False, moved: bool = False) -> None:
    """Raise ClusterlabError when the lab's state belongs to somebody else.

    Nothing is touched then.

    With `moved`, the lab's folder was moved to where it is now. With `write`, machines that nobody creates get a
    record, so that this workstation knows whose they are; the others have theirs from `up`.
    """
    state = LabState(lab.name)
    record = state.read()
    if record is None:
        if write and not lab.inventory.kind.creates:
            state.write(_with_file(Record.of(lab.inventory, lab.folder), lab))
        return
    refuse_others(lab.name, record)
    here, there = lab.folder.absolute().resolve(), record.folder
    if not there.is_absolute() or there.resolve() == here:
        if write and _with_file(record, lab) != record:
            state.write(_with_file(record, lab))
        return
    if moved:
        state.write(_with_file(record.model_copy(update={"folder": lab.folder.absolute()}), lab))
        return
    gone = "" if there.is_dir() else ", a folder that no longer exists"
    raise ClusterlabError(
        f"lab {lab.name} belongs to {there}{gone}, and this inventory is in {here}: nothing was touched",
        remedy="Give the lab of this inventory another name (`lab:`). If its folder was moved here, run "
        f"`clusterlab up --moved`. `clusterlab down --lab {lab.name}` removes the other one.",
    )


def _with_file(record: Record, lab: Lab) -> Record:
    return record.model_copy(update={"file": lab.file.absolute()}) if lab.file else record


def refuse_others(name: str, record: Record) -> None:
    """Raise ClusterlabError when another user or workstation made the lab."""
    if record.machine_id and record.machine_id != workstation.machine_id():
        raise ClusterlabError(
            f"lab {name} was created on another workstation, by {record.owner}: nothing was touched",
            remedy=f"Give this lab another name (`lab:` in the inventory), or work on it there. This computer is "
            f"{workstation.workstation()}; both use the state folder {LabState(name).folder}.",
        )
    if record.user and record.user != workstation.user():
        raise ClusterlabError(
            f"lab {name} was created by another user, {record.owner}: nothing was touched",
            remedy=f"Give this lab another name (`lab:` in the inventory), or run the command as {record.user}.",
        )

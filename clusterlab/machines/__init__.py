"""Who makes hosts exist: one package per kind of machines, imported only when a lab has that kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import MachineKind, Machines, MachineStatus, State

if TYPE_CHECKING:
    from clusterlab.model.lab import Lab

__all__ = ["MachineKind", "MachineStatus", "Machines", "State", "open_machines", "recall_machines"]


def open_machines(lab: Lab) -> Machines:
    """The machines of a lab, whether they are up or not."""
    return lab.inventory.kind.open(lab)


def recall_machines(lab_name: str) -> Machines:
    """The machines of a lab that was brought up before, from its state alone: no inventory file is needed."""
    from clusterlab.errors import ClusterlabError
    from clusterlab.model.lab import Lab

    from .paths import known_labs
    from .state import LabState

    record = LabState(lab_name).read()
    if record is None:
        known = known_labs()
        raise ClusterlabError(
            f"no lab {lab_name} is known here",
            remedy=f"known labs: {', '.join(known)}" if known else "bring one up first: clusterlab up",
        )
    return open_machines(Lab(inventory=record.inventory, folder=record.folder))

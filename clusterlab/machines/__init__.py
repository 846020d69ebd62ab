"""Who makes hosts exist.

One package per kind of machines, imported only when a lab has that kind.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clusterlab.model.lab import Lab

    from .base import MachineKind, Machines, MachineStatus, State

__all__ = ["MachineKind", "MachineStatus", "Machines", "State", "open_machines", "recall_lab", "recall_machines"]


def open_machines(lab: Lab) -> Machines:
    """The machines of a lab, whether they are up or not."""
    return lab.inventory.kind.open(lab)


def recall_machines(lab_name: str) -> Machines:
    """The machines of a lab that was brought up before, from its state alone.

    No inventory file is needed.
    """
    return open_machines(recall_lab(lab_name))


def recall_lab(lab_name: str) -> Lab:
    """A lab that was brought up before, without plays, from its state alone."""
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
    return Lab(inventory=record.inventory, folder=record.folder)


def __getattr__(name: str) -> Any:
    """Import what needs the models only when it is used.

    Completion needs the folders' names alone.
    """
    if name in __all__:
        return getattr(import_module(f"{__name__}.base"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

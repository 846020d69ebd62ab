"""Who makes hosts exist: one module per kind of machines, imported only when a lab has that kind."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from clusterlab.errors import ClusterlabError
from clusterlab.model.inventory import MachineKind
from clusterlab.model.lab import Lab

from .base import Machines, MachineStatus, State
from .state import LabState, known_labs

__all__ = ["MachineStatus", "Machines", "State", "open_machines", "recall_machines"]

_CLASSES: dict[MachineKind, str] = {
    "qemu": "QemuMachines",
    "namespaces": "NamespacesMachines",
    "vagrant": "VagrantMachines",
    "existing": "ExistingMachines",
}
"""The class of each kind, in the module `clusterlab.machines.<kind>`; it is made with the Lab alone."""


def open_machines(lab: Lab) -> Machines:
    """The machines of a lab, whether they are up or not."""
    kind = lab.inventory.machines
    module = import_module(f"{__name__}.{kind}")
    return cast(Machines, getattr(module, _CLASSES[kind])(lab))


def recall_machines(lab_name: str) -> Machines:
    """The machines of a lab that was brought up before, from its state alone: no inventory file is needed."""
    record = LabState(lab_name).read()
    if record is None:
        known = known_labs()
        raise ClusterlabError(
            f"no lab {lab_name} is known here",
            remedy=f"known labs: {', '.join(known)}" if known else "bring one up first: clusterlab up",
        )
    return open_machines(Lab(inventory=record.inventory, folder=record.folder))

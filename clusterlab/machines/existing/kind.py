"""The kind `existing`: what it declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterlab.machines.base import MachineKind, Machines

if TYPE_CHECKING:
    from clusterlab.model.lab import Lab


def _open(lab: Lab) -> Machines:
    from .machines import ExistingMachines

    return ExistingMachines(lab)


EXISTING = MachineKind(
    name="existing",
    summary="hosts that already exist, reached over SSH",
    open=_open,
    creates=False,
    foreign=True,
    down="its machines existed before clusterlab, and nothing on them was changed; `clusterlab clean` removes what "
    "apply created there, `clusterlab deprovision` takes back what provision added",
    copies_disks=False,
    abilities=frozenset({"clock", "disk", "memory", "delay", "init"}),
    unable=dict.fromkeys(("unplug", "power", "pause", "reset", "throttle"), "they are reached over SSH alone"),
    host_keys=frozenset({"ssh"}),
)

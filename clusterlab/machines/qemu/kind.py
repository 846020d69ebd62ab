"""The kind `qemu`: what it declares, and its section of the inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from clusterlab.machines.base import MachineKind, Machines
from clusterlab.model.base import Duration, Model, Size

if TYPE_CHECKING:
    from clusterlab.model.lab import Lab


class QemuSettings(Model):
    """The virtual machines of a qemu lab.

    A host's own memory, cpus and release take precedence.
    """

    memory: Size = Field(default="1G", examples=["512M", "2G"])
    cpus: int = Field(default=1, ge=1)
    disk: Size = Field(default="8G", examples=["8G"])
    release: str = Field(
        default="trixie", pattern=r"^[a-z]+$", description="the Debian release of machines without one of their own"
    )
    boot_timeout: Duration = Field(default=900.0, description="how long a machine may take until it answers")


def _open(lab: Lab) -> Machines:
    from .lab import QemuMachines

    return QemuMachines(lab)


QEMU = MachineKind(
    name="qemu",
    summary="virtual machines, without root",
    open=_open,
    snapshots=True,
    saved_lab=True,
    abilities=frozenset({"unplug", "power", "pause", "reset", "throttle", "clock", "disk", "memory", "delay", "init"}),
    settings=QemuSettings,
    sets_mtu=True,
    host_keys=frozenset({"memory", "cpus", "release"}),
)

"""The kind `namespaces`: what it declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterlab.machines.base import MachineKind, Machines

if TYPE_CHECKING:
    from clusterlab.model.lab import Lab


def _open(lab: Lab) -> Machines:
    from .machines import NamespacesMachines

    return NamespacesMachines(lab)


NAMESPACES = MachineKind(
    name="namespaces",
    summary="real engines in Linux namespaces of this computer, up in seconds",
    open=_open,
    needs_root=True,
    abilities=frozenset({"unplug", "power", "pause", "reset", "delay"}),
    unable={
        "throttle": "hosts in namespaces store on the disk of this computer",
        "clock": "hosts in namespaces have the clock of this computer",
        "disk": "hosts in namespaces store on the disk of this computer",
        "memory": "hosts in namespaces have the memory of this computer",
        "init": "no init system restarts the services of hosts in namespaces",
    },
    sets_mtu=True,
    changes=frozenset({"release", "mtu"}),
    reads={"qemu": None},  # the release of its root file system
    host_keys=frozenset({"release"}),
)

"""Every kind of machines.

Clusterlab's own, and those that installed packages add.
"""

from __future__ import annotations

from clusterlab.registry import Registry

from .base import MachineKind
from .existing.kind import EXISTING
from .namespaces.kind import NAMESPACES
from .qemu.kind import QEMU
from .vagrant.kind import VAGRANT

__all__ = ["DEFAULT", "EXISTING", "MACHINE_KINDS", "NAMESPACES", "QEMU", "VAGRANT", "kinds_with"]

MACHINE_KINDS = Registry("clusterlab.machines", MachineKind, [QEMU, NAMESPACES, VAGRANT, EXISTING])
DEFAULT = QEMU
"""The kind of an inventory that names none."""


def kinds_with(host_key: str) -> list[str]:
    """Names of the kinds for which this key of a host has an effect."""
    return [kind.name for kind in MACHINE_KINDS.values() if host_key in kind.host_keys]

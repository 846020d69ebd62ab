"""The sections of the fact script, each with its reader."""

from __future__ import annotations

from typing import Any

from .associations import ASSOCIATIONS
from .engine import CERTIFICATE, DAEMON, DATA_PATH
from .firewall import BACKEND, FIREWALL
from .handles import HANDLES
from .heard import HEARD, UPTIME
from .host import CLOCK, DISKS, KERNEL, MEMORY, SETTINGS, SIZES
from .idmap import IDMAP
from .lookups import LOOKUPS
from .mountable import MOUNTABLE
from .mounts import CONTAINER_MOUNTS, FSTAB, MOUNTS, STUCK
from .namespaces import NAMESPACES
from .network import ADDRESSES, LISTENERS, NAME_SERVERS, ROUTES
from .nfs_server import NFS_SERVER
from .probes import PROBES
from .section import Section

__all__ = [
    "ADDRESSES",
    "ASSOCIATIONS",
    "BACKEND",
    "CERTIFICATE",
    "CLOCK",
    "CONTAINER_MOUNTS",
    "DAEMON",
    "DATA_PATH",
    "DISKS",
    "FIREWALL",
    "FSTAB",
    "HANDLES",
    "HEARD",
    "IDMAP",
    "KERNEL",
    "LISTENERS",
    "LOOKUPS",
    "MEMORY",
    "MOUNTABLE",
    "MOUNTS",
    "NAMESPACES",
    "NAME_SERVERS",
    "NFS_SERVER",
    "PROBES",
    "PROBING",
    "ROUTES",
    "SECTIONS",
    "SETTINGS",
    "SIZES",
    "STUCK",
    "UPTIME",
]

SECTIONS: tuple[Section[Any], ...] = (
    *(CLOCK, KERNEL, MEMORY, DISKS, SIZES, SETTINGS),
    *(ADDRESSES, ROUTES, LISTENERS, NAME_SERVERS),
    *(FIREWALL, BACKEND, NAMESPACES, ASSOCIATIONS),
    *(MOUNTS, FSTAB, STUCK, CONTAINER_MOUNTS),
    *(DAEMON, DATA_PATH, CERTIFICATE, NFS_SERVER, IDMAP, LOOKUPS, PROBES, HANDLES),
)
"""In the order in which they are printed: the clock first, since it is compared with the time of asking."""

PROBING: tuple[Section[Any], ...] = (HEARD, MOUNTABLE, UPTIME)
"""What runs only with --probe, after the others; the uptime last, since it is compared with the time of the end."""

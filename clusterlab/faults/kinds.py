"""Every kind of fault: clusterlab's own, and those that installed packages add."""

from __future__ import annotations

from typing import Any

from clusterlab.registry import Registry

from .block import BLOCK
from .clock import CLOCK
from .conntrack import CONNTRACK_FLUSH
from .disk import SLOW_DISK
from .dns import DNS
from .drain import DRAIN_NODE
from .duplicate import DUPLICATE_ADDRESS
from .engine import FREEZE_ENGINE, KILL_ENGINE, RESTART_ENGINE, STOP_ENGINE
from .holders import FILL_DISK, MEMORY
from .kind import FaultKind
from .loss import LOSS
from .machine import FLAP, PAUSE_MACHINE, POWER_OFF, RESET, UNPLUG
from .mtu import MTU
from .nfs import EXPORT_RO, STOP_NFS, UNEXPORT
from .partition import ISOLATE, PARTITION, SPLIT
from .route import NO_ROUTE
from .tasks import FREEZE_TASK, KILL_TASK
from .traffic import DELAY, RATE

FAULTS: Registry[FaultKind[Any]] = Registry(
    "clusterlab.faults",
    FaultKind,  # type: ignore[type-abstract]
    [
        *(PARTITION, ISOLATE, SPLIT, BLOCK, LOSS, DELAY, RATE, MTU),
        *(NO_ROUTE, DUPLICATE_ADDRESS, DNS, CONNTRACK_FLUSH),
        *(UNPLUG, FLAP, POWER_OFF, RESET, PAUSE_MACHINE),
        *(CLOCK, FILL_DISK, SLOW_DISK, MEMORY),
        *(STOP_ENGINE, KILL_ENGINE, RESTART_ENGINE, FREEZE_ENGINE, FREEZE_TASK, KILL_TASK),
        *(STOP_NFS, UNEXPORT, EXPORT_RO),
        DRAIN_NODE,
    ],
)

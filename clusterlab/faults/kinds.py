"""Every kind of fault: clusterlab's own, and those that installed packages add."""

from __future__ import annotations

from typing import Any

from clusterlab.registry import Registry

from .block import BLOCK
from .clock import CLOCK
from .engine import FREEZE_ENGINE, KILL_ENGINE, STOP_ENGINE
from .holders import FILL_DISK, MEMORY
from .kind import FaultKind
from .loss import LOSS
from .machine import PAUSE_MACHINE, POWER_OFF, RESET, UNPLUG
from .nfs import EXPORT_RO, STOP_NFS, UNEXPORT
from .partition import ISOLATE, PARTITION, SPLIT
from .traffic import DELAY

FAULTS: Registry[FaultKind[Any]] = Registry(
    "clusterlab.faults",
    FaultKind,  # type: ignore[type-abstract]
    [
        *(PARTITION, ISOLATE, SPLIT, BLOCK, LOSS, DELAY),
        *(UNPLUG, POWER_OFF, RESET, PAUSE_MACHINE),
        *(CLOCK, FILL_DISK, MEMORY),
        *(STOP_ENGINE, KILL_ENGINE, FREEZE_ENGINE),
        *(STOP_NFS, UNEXPORT, EXPORT_RO),
    ],
)

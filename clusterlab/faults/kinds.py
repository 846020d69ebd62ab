"""Every kind of fault: clusterlab's own, and those that installed packages add."""

from __future__ import annotations

from typing import Any

from clusterlab.registry import Registry

from .kind import FaultKind
from .partition import ISOLATE, PARTITION, SPLIT

FAULTS: Registry[FaultKind[Any]] = Registry(
    "clusterlab.faults",
    FaultKind,  # type: ignore[type-abstract]
    [PARTITION, ISOLATE, SPLIT],
)

"""Faults: things broken on purpose, with proof.

Proof that they took effect, that they were healed, and that nothing remains.

A kind of fault is one object (`clusterlab.faults.kind.FaultKind`) in the registry FAULTS. `injected` is the one way to
inject a fault: it arms what heals it in any case, records it, injects it, proves it, and heals it when its block ends.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clusterlab.model.faults import FaultSpec

    from .errors import EndedEarly, NoEffect, NotHealed, Refused, Residue, Unsupported
    from .injection import Injection, injected
    from .kind import FaultKind
    from .kinds import FAULTS
    from .scene import Scene

__all__ = [
    "FAULTS",
    "EndedEarly",
    "FaultKind",
    "FaultSpec",
    "Injection",
    "NoEffect",
    "NotHealed",
    "Refused",
    "Residue",
    "Scene",
    "Unsupported",
    "injected",
]

_MODULES = {
    "FAULTS": "clusterlab.faults.kinds",
    "FaultKind": "clusterlab.faults.kind",
    "FaultSpec": "clusterlab.model.faults",
    "Injection": "clusterlab.faults.injection",
    "injected": "clusterlab.faults.injection",
    "Scene": "clusterlab.faults.scene",
    **dict.fromkeys(
        ("EndedEarly", "NoEffect", "NotHealed", "Refused", "Residue", "Unsupported"), "clusterlab.faults.errors"
    ),
}


def __getattr__(name: str) -> Any:
    """Import on first use: kinds import the models, which know the kinds' names."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

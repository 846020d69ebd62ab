"""Every kind of resource that there is."""

from __future__ import annotations

from typing import Any

from clusterlab.registry import Registry

from .containers import CONTAINER
from .disks import DISK
from .images import IMAGE
from .kind import ResourceKind
from .networks import NETWORK
from .swarm_services import SERVICE
from .volumes import VOLUME

OWN: tuple[ResourceKind[Any, Any], ...] = (IMAGE, DISK, VOLUME, NETWORK, CONTAINER, SERVICE)
"""This package's kinds; each needs only those before it, and is removed before them."""

RESOURCES: Registry[ResourceKind[Any, Any]] = Registry(
    "clusterlab.resources",
    ResourceKind,  # type: ignore[type-abstract]  # only asked what is an instance of it
    OWN,
)

"""Every kind of resource that there is."""

from __future__ import annotations

from typing import Any

from clusterlab.registry import Registry

from .containers import CONTAINER
from .disks import DISK
from .docker_engine import ENGINE
from .drains import DRAIN
from .engine_settings import ENGINE_SETTINGS
from .images import IMAGE
from .iscsi_initiator import INITIATOR
from .iscsi_target import LUN_KIND
from .kernel_modules import MODULE
from .kind import ResourceKind
from .networks import NETWORK
from .nfs import EXPORT
from .packages import PACKAGE
from .registry_server import REGISTRY, REGISTRY_TRUST
from .stacks import STACK
from .swarm_files import CONFIG, SECRET
from .swarm_kind import SWARM_KIND
from .swarm_services import SERVICE
from .sysctl import SYSCTL
from .units import UNIT
from .volumes import VOLUME

_PROVISION = (
    PACKAGE, MODULE, SYSCTL, INITIATOR, UNIT, EXPORT, LUN_KIND, REGISTRY, REGISTRY_TRUST, ENGINE, ENGINE_SETTINGS,
    SWARM_KIND,
)  # fmt: skip
_APPLY = (IMAGE, DISK, VOLUME, NETWORK, CONFIG, SECRET, CONTAINER, SERVICE, STACK, DRAIN)

OWN: tuple[ResourceKind[Any, Any], ...] = (*_PROVISION, *_APPLY)
"""This package's kinds; each needs only those before it, and is removed before them."""

RESOURCES: Registry[ResourceKind[Any, Any]] = Registry(
    "clusterlab.resources",
    ResourceKind,  # type: ignore[type-abstract]  # only asked what is an instance of it
    OWN,
)

"""What may be broken.

Permission in the inventory, and how many hosts a fault may take away.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from clusterlab.model.faults import FaultParameters
from clusterlab.model.inventory import Inventory

from .errors import Refused, Unsupported
from .kind import FaultKind, require_known
from .scene import Scene


def allowed(kind: FaultKind[Any], inventory: Inventory) -> str:
    """Why the inventory does not permit a fault; "" when it does."""
    given = inventory.allow_faults
    if given is False:
        return "the inventory says `allow_faults: false`"
    if isinstance(given, list):
        return "" if kind.name in given else f"`allow_faults` of the inventory does not name {kind.name}"
    if not inventory.kind.foreign:
        return ""
    if given is None:
        return "faults need permission on machines that clusterlab did not create"
    return f"{kind.name} may lose data or a host, so `allow_faults` must name it" if kind.named else ""


def remedy(kind: FaultKind[Any]) -> str:
    """What a person writes to permit it."""
    words = f"[{kind.name}]" if kind.named else "true"
    return f"If these machines may be broken, write `allow_faults: {words}` in the inventory."


def require_possible(kind: FaultKind[Any], params: FaultParameters, inventory: Inventory) -> None:
    """Raise what an inventory alone has against a fault.

    That is UsageError for unknown hosts, Unsupported and Refused.
    """
    require_known(kind, params, inventory)
    if why := kind.reason(inventory.kind):
        raise Unsupported(f"{kind.name}: {why}")
    if why := allowed(kind, inventory):
        raise Refused(f"{kind.name}: {why}", remedy=remedy(kind))


def require(kind: FaultKind[Any], params: FaultParameters, scene: Scene) -> None:
    """Raise Unsupported or Refused for what the hosts have against a fault.

    They lack what it needs, more of them would be lost than it may take, or it would break what others created.
    """
    inventory = scene.lab.inventory
    if why := _lacking(kind, params, scene):
        raise Unsupported(f"{kind.name}: {why}")
    if why := too_much(kind.lost(params, scene), params.blast, inventory):
        raise Refused(f"{kind.name}: {why}", remedy="`blast: N` allows a fault to take down N hosts.")
    if why := kind.theirs(params, scene):
        raise Refused(f"{kind.name}: {why}", remedy="Name what clusterlab created for the lab.")


def _lacking(kind: FaultKind[Any], params: FaultParameters, scene: Scene) -> str:
    """Why the hosts that a fault names lack a capability that it needs.

    "" when they do not.
    """
    if not kind.needs:
        return ""
    unsupported = scene.machines.unsupported()
    hosts = scene.resolve(kind.names(params)) or scene.lab.inventory.hosts
    reasons = (unsupported.reason(host, need) for host in hosts for need in sorted(kind.needs))
    return next(filter(None, reasons), "")


def too_much(lost: Set[str], blast: int, inventory: Inventory) -> str:
    """Why losing these hosts is more than a fault may do; "" when it is not."""
    if len(lost) > blast:
        return f"it would take down {len(lost)} hosts: {', '.join(sorted(lost))}"
    if blast > 1:
        return ""
    managers = inventory.with_role("swarm_manager")
    left = [name for name in managers if name not in lost]
    if managers and lost & set(managers) and 2 * len(left) <= len(managers):
        kind = "the last manager" if not left else "the quorum of managers"
        return f"without {', '.join(sorted(lost))} the Swarm loses {kind}"
    servers = set(inventory.with_role("nfs_server")) & set(lost)
    if servers and inventory.kind.foreign:
        return f"{', '.join(sorted(servers))} serves files, perhaps to others too"
    return ""

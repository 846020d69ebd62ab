"""Which capabilities a stack needs on the nodes."""

from __future__ import annotations

from clusterlab.capabilities import Capabilities
from clusterlab.model.lab import Lab
from clusterlab.model.needs import Need, missing

from .service_specs import plain, value
from .stack import Stack

_NFS = ("nfs", "nfs4")


def why_stack_cannot_run(lab: Lab, stack: Stack, capabilities: Capabilities) -> Need | None:
    """A need of a stack that no node of the Swarm meets; else None.

    A stack is deployed as a whole, or left out.
    """
    for volume in _nfs_volumes(stack):
        needs = [Need(host, "nfs", f"volume {volume}") for host in lab.inventory.swarm_hosts]
        if needs and all(missing([need], capabilities) for need in needs):
            return needs[0]
    return None


def _nfs_volumes(stack: Stack) -> list[str]:
    """The names on the engine of volumes on NFS that services mount."""
    used = {mount.source for service in stack.services.values() for mount in service.volumes if mount.type == "volume"}
    local = [one for key, one in stack.volumes.items() if key in used and value(one.driver) in (None, "", "local")]
    return [stack.scoped(one) for one in local if plain(one.driver_opts or {}).get("type") in _NFS]

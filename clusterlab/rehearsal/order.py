"""What of a change can be rehearsed, and in which order hosts are changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clusterlab.errors import UsageError
from clusterlab.machines.kinds import DEFAULT
from clusterlab.model.inventory import Inventory
from clusterlab.model.problems import listed

_REHEARSED = frozenset({"engine", "sysctl", "nfs", "iscsi", "swarm", "images"})
"""The keys of an inventory that may differ; of a host, those of _OF_HOSTS."""
_OF_HOSTS = frozenset({"roles", "availability", "labels", "engine", "sysctl"})


def require_rehearsable(before: Inventory, after: Inventory) -> None:
    """Raise UsageError when the change is more than what a running lab can be given."""
    if before.kind.foreign:
        raise UsageError(
            "a rehearsal drains hosts and restarts engines: it is for a lab whose machines clusterlab creates",
            remedy=f"Write an inventory with `machines: {DEFAULT.name}` and the same hosts.",
        )
    different = list(_more(before, after))
    if different:
        raise UsageError(
            f"the two inventories differ in more than can be rehearsed: {', '.join(different)}",
            remedy=f"They may differ in {listed(sorted(_of_lab(before)))}; of each host in "
            f"{listed(sorted(_of_hosts(before)))}.",
        )
    releases = [name for name in before.hosts if before.hosts[name].release != after.hosts[name].release]
    if releases and before.network != after.network:
        raise UsageError(
            f"the two inventories differ in network.mtu and in the release of {', '.join(releases)}",
            remedy="Rehearse one after the other.",
        )


def _of_lab(inventory: Inventory) -> frozenset[str]:
    """The keys that may differ, with what can become another in machines of this kind."""
    return _REHEARSED | ({"network.mtu"} if "mtu" in inventory.kind.changes else set())


def _of_hosts(inventory: Inventory) -> frozenset[str]:
    return _OF_HOSTS | ({"release"} & inventory.kind.changes)


def _more(before: Inventory, after: Inventory) -> Iterator[str]:
    """The keys that differ and must not; of the network each for itself."""
    for name in type(before.network).model_fields:
        key = f"network.{name}"
        if key not in _of_lab(before) and getattr(before.network, name) != getattr(after.network, name):
            yield key
    for name in type(before).model_fields:
        if name not in _of_lab(before) | {"hosts", "network"} and getattr(before, name) != getattr(after, name):
            yield name
    for host in dict.fromkeys([*before.hosts, *after.hosts]):
        one, other = before.hosts.get(host), after.hosts.get(host)
        if one is None or other is None:
            yield f"hosts.{host}"
            continue
        for name in type(one).model_fields:
            if name not in _of_hosts(before) and getattr(one, name) != getattr(other, name):
                yield f"hosts.{host}.{name}"


def order(inventory: Inventory, leader: str) -> list[str]:
    """Workers and other hosts first, then the managers, the leader last."""
    managers = [name for name in inventory.with_role("swarm_manager") if name != leader]
    others = [name for name in inventory.hosts if name not in managers and name != leader]
    return [*others, *managers, *([leader] if leader else [])]


def majority_remains(reachable: Sequence[str], without: str) -> bool:
    """Whether the managers that are reachable are a majority without one of them.

    A single manager has none to lose.
    """
    left = [name for name in reachable if name != without]
    return len(reachable) == 1 or 2 * len(left) > len(reachable)

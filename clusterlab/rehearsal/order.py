"""What of a change can be rehearsed, and in which order hosts are changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clusterlab.errors import UsageError
from clusterlab.machines.kinds import DEFAULT
from clusterlab.model.inventory import Inventory
from clusterlab.model.problems import listed

REHEARSED = frozenset({"engine", "sysctl", "nfs", "iscsi", "swarm", "images"})
"""The keys of an inventory that may differ; of a host, those of OF_HOSTS."""
OF_HOSTS = frozenset({"roles", "availability", "labels", "engine", "sysctl"})


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
            remedy=f"They may differ in {listed(sorted(REHEARSED))}; of each host in {listed(sorted(OF_HOSTS))}.",
        )


def _more(before: Inventory, after: Inventory) -> Iterator[str]:
    for name in type(before).model_fields:
        if name not in REHEARSED | {"hosts"} and getattr(before, name) != getattr(after, name):
            yield name
    for host in dict.fromkeys([*before.hosts, *after.hosts]):
        one, other = before.hosts.get(host), after.hosts.get(host)
        if one is None or other is None:
            yield f"hosts.{host}"
            continue
        for name in type(one).model_fields:
            if name not in OF_HOSTS and getattr(one, name) != getattr(other, name):
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

"""Groups of hosts that places and `${...}` can name.

Roles, and what follows from the rest of an inventory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, NamedTuple, get_args

Role = Literal["docker", "swarm_manager", "swarm_worker", "nfs_server", "iscsi_target", "registry"]
ROLES: tuple[Role, ...] = get_args(Role)

ACTIVE_NODE = "active_node"
WITHOUT_LUN = "without_lun"
ALL = "all"

GROUPS: Mapping[str, str] = {
    **{role: f"host with the role {role}" for role in ROLES},
    ACTIVE_NODE: "node of the Swarm that may run tasks",
    WITHOUT_LUN: "Docker host that neither serves nor has a LUN",
    ALL: "host",
}
"""Every group by name, and what one of its hosts is."""

POSITIONS = ("first", "second", "third", "fourth", "fifth", "last")


class Member(NamedTuple):
    """What decides in which groups a host is."""

    roles: Collection[str] = ()
    availability: str | None = None
    has_lun: bool = False


def members(group: str, hosts: Mapping[str, Member]) -> list[str]:
    """The hosts of a group, in the inventory's order.

    None for a name that is not a group.
    """
    return [name for name, host in hosts.items() if _in_group(group, host)]


def _in_group(group: str, host: Member) -> bool:
    if group == ACTIVE_NODE:
        in_swarm = {"swarm_manager", "swarm_worker"} & set(host.roles)
        return bool(in_swarm) and host.availability in (None, "active")
    if group == WITHOUT_LUN:
        return "docker" in host.roles and "iscsi_target" not in host.roles and not host.has_lun
    return group == ALL or group in host.roles


def index(position: str, size: int) -> int | None:
    """The index that a position means in a list of `size` items.

    None when the list has no such item.

    Raises ValueError when it is not a position.
    """
    found = size - 1 if position == "last" else POSITIONS.index(position)
    return found if 0 <= found < size else None


def expand(places: Iterable[str], hosts: Mapping[str, Member]) -> list[str]:
    """The hosts that a list of hosts and groups means.

    In the inventory's order, each once.
    """
    wanted = set(places)
    return [name for name, host in hosts.items() if name in wanted or any(_in_group(one, host) for one in wanted)]

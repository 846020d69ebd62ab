"""The tasks of a Swarm service, and where they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from clusterlab.model.inventory import Inventory
from clusterlab.remote import Host

from .engine_calls import engine
from .observed import Json
from .swarm_nodes import address, list_nodes

_RUNNING = "running"


def hosts_of_nodes(manager: Host, inventory: Inventory) -> dict[str, str]:
    """The inventory's host for each node id, by its address.

    Other nodes have the name that they gave themselves.
    """
    by_address = {str(host.address): name for name, host in inventory.hosts.items()}
    return {
        str(node["ID"]): by_address.get(address(node), str(node["Description"]["Hostname"]))
        for node in list_nodes(manager)
    }


def running_tasks(manager: Host, service: str, inventory: Inventory) -> list[Json]:
    """What the manager reports of the running tasks that should run.

    With their host as `Node`; by host and number.
    """
    with engine(manager, f"list the tasks of service {service}") as api:
        tasks = api.tasks(filters={"service": service, "desired-state": _RUNNING})
    hosts = hosts_of_nodes(manager, inventory)
    found = [
        {**task, "Node": hosts.get(str(task.get("NodeID")), "")}
        for task in tasks
        if (task.get("Status") or {}).get("State") == _RUNNING
    ]
    return sorted(found, key=lambda task: (task["Node"], task.get("Slot", 0)))


def surplus(tasks: Sequence[Json], crowd: int) -> int:
    """How many tasks there are on nodes besides `crowd` on each."""
    return sum(max(0, number - crowd) for number in Counter(task["NodeID"] for task in tasks).values())


def crowd(tasks: Sequence[Json]) -> int:
    """How many tasks there are on the node that has most of them."""
    nodes = [task["NodeID"] for task in tasks]
    return max((nodes.count(node) for node in nodes), default=0)

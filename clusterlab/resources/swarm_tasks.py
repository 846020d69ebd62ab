"""The tasks of a Swarm service: where they run, and moving them about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import docker.errors

from clusterlab.model.inventory import Inventory
from clusterlab.remote import Host

from .engine_calls import engine
from .observed import Json
from .swarm_actions import address, list_nodes

_RUNNING = "running"
_UPDATES = 5  # attempts: another update of the service may come in between


def hosts_of_nodes(manager: Host, inventory: Inventory) -> dict[str, str]:
    """The inventory's host for each node id, by its address; other nodes have the name that they gave themselves."""
    by_address = {str(host.address): name for name, host in inventory.hosts.items()}
    return {
        str(node["ID"]): by_address.get(address(node), str(node["Description"]["Hostname"]))
        for node in list_nodes(manager)
    }


def running_tasks(manager: Host, service: str, inventory: Inventory) -> list[Json]:
    """What the manager reports of the tasks that run and are to, with their host as `Node`; by host and number."""
    with engine(manager, f"list the tasks of service {service}") as api:
        tasks = api.tasks(filters={"service": service, "desired-state": _RUNNING})
    hosts = hosts_of_nodes(manager, inventory)
    found = [
        {**task, "Node": hosts.get(str(task.get("NodeID")), "")}
        for task in tasks
        if (task.get("Status") or {}).get("State") == _RUNNING
    ]
    return sorted(found, key=lambda task: (task["Node"], task.get("Slot", 0)))


def services_on(manager: Host, node: str) -> list[str]:
    """The names of the services that have a running task on a node."""
    with engine(manager, "list the tasks of a node") as api:
        tasks = api.tasks(filters={"node": node, "desired-state": _RUNNING})
        names = {str(one["ID"]): str(one["Spec"]["Name"]) for one in api.services()}
    return sorted({names[task["ServiceID"]] for task in tasks if task.get("ServiceID") in names})


def replicas(manager: Host, service: str) -> int | None:
    """How many tasks a service is to have; None for a global one."""
    with engine(manager, f"inspect service {service}") as api:
        mode: Mapping[str, Any] = api.inspect_service(service)["Spec"]["Mode"]
    return int(mode["Replicated"]["Replicas"]) if "Replicated" in mode else None


def scale(manager: Host, service: str, number: int) -> None:
    """Give a service another number of tasks; it is not waited for."""
    _update(manager, service, lambda spec: {"mode": {"Replicated": {"Replicas": number}}})


def spread(manager: Host, service: str) -> None:
    """Replace every task, so that the Swarm chooses the nodes anew; it is not waited for."""
    _update(
        manager,
        service,
        lambda spec: {"task_template": {"ForceUpdate": int(spec["TaskTemplate"].get("ForceUpdate") or 0) + 1}},
    )


def is_updating(manager: Host, service: str) -> bool:
    with engine(manager, f"inspect service {service}") as api:
        return (api.inspect_service(service).get("UpdateStatus") or {}).get("State") == "updating"


def crowd(tasks: Sequence[Json]) -> int:
    """How many tasks there are on the node that has most of them."""
    nodes = [task["NodeID"] for task in tasks]
    return max((nodes.count(node) for node in nodes), default=0)


def _update(manager: Host, service: str, change: Callable[[Json], dict[str, Any]]) -> None:
    with engine(manager, f"update service {service}") as api:
        for attempt in range(_UPDATES):
            found = api.inspect_service(service)
            try:
                api.update_service(service, found["Version"]["Index"], fetch_current_spec=True, **change(found["Spec"]))
                return
            except docker.errors.APIError as error:
                if "out of sequence" not in str(error) or attempt == _UPDATES - 1:
                    raise

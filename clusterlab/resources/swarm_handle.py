"""Handles to services and nodes of the Swarm.

All can be looked at, only the lab's own can be changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import docker.errors

from clusterlab.model.inventory import Inventory
from clusterlab.remote import Host

from . import drains, swarm_tasks
from .base import LABEL_LAB
from .container_handle import not_ours
from .engine_calls import engine
from .labels import is_ours, play_of
from .managers import Answered
from .observed import Json, labels_of

_UPDATES = 5  # attempts: another update of the service may come in between
_AT_WORK = ("new", "pending", "assigned", "accepted", "preparing", "ready", "starting", "running")


class NoSuchService(Answered):
    """No service has that name."""


@dataclass(frozen=True)
class ServiceHandle:
    """A service by its id, as it was when `report` was read.

    The report is that of `docker service inspect`.
    """

    manager: Host
    lab: str
    name: str
    report: Json

    @property
    def id(self) -> str:
        return str(self.report["ID"])

    @property
    def ours(self) -> bool:
        return is_ours(self.lab, labels_of(self.report))

    def own(self) -> OwnService:
        """The handle by which it can be changed.

        Raises NotOurs when the lab did not create it.
        """
        return OwnService(self.manager, self.lab, self.name, self.report)

    def replicas(self) -> int | None:
        """How many tasks it should have now; None for a global service."""
        mode = self._inspect()["Spec"]["Mode"]
        return int(mode["Replicated"]["Replicas"]) if "Replicated" in mode else None

    def is_updating(self) -> bool:
        return (self._inspect().get("UpdateStatus") or {}).get("State") == "updating"

    def tasks(self, inventory: Inventory) -> list[Json]:
        """Its running tasks, with their host as `Node`."""
        return swarm_tasks.running_tasks(self.manager, self.id, inventory)

    def _inspect(self) -> Json:
        with engine(self.manager, f"inspect service {self.name}") as api:
            report: Json = api.inspect_service(self.id)
        return report


@dataclass(frozen=True)
class OwnService(ServiceHandle):
    """A service that this lab created; raises NotOurs when it is made for any other.

    Nothing waits for the tasks.
    """

    def __post_init__(self) -> None:
        if not self.ours:
            raise not_ours(self.manager, "service", self.name, labels_of(self.report))

    def scale(self, number: int) -> None:
        """Give it another number of tasks."""
        self._update(lambda spec: {"mode": {"Replicated": {"Replicas": number}}})

    def kill(self, task: Json, host: Host) -> None:
        """End the processes of one of its tasks, which runs on `host`, with SIGKILL."""
        container = task["Status"]["ContainerStatus"]["ContainerID"]
        if task["ServiceID"] != self.id:
            raise not_ours(host, "container", container[:12], None)
        with engine(host, f"kill a task of service {self.name}") as api:
            api.kill(container)

    def _update(self, change: Callable[[Json], dict[str, Any]]) -> None:
        with engine(self.manager, f"update service {self.name}") as api:
            for attempt in range(_UPDATES):
                found = api.inspect_service(self.id)
                version = found["Version"]["Index"]
                try:
                    api.update_service(self.id, version, fetch_current_spec=True, **change(found["Spec"]))
                    return
                except docker.errors.APIError as error:
                    if "out of sequence" not in str(error) or attempt == _UPDATES - 1:
                        raise


def find_service(manager: Host, lab: str, name: str) -> ServiceHandle:
    """The service of that name, whoever created it; raises NoSuchService."""
    with engine(manager, f"inspect service {name}") as api:
        try:
            return ServiceHandle(manager, lab, name, api.inspect_service(name))
        except docker.errors.NotFound as error:
            raise NoSuchService(
                manager.name, f"there is no service {name}", remedy="`clusterlab apply` creates it"
            ) from error


class NotPermitted(Answered):
    """A change would concern what others depend on."""


@dataclass(frozen=True)
class Drain:
    """A node that may be drained.

    It gives away tasks of the lab's own services alone.
    """

    manager: Host
    drained: drains.Drained
    services: tuple[OwnService, ...]  # that have tasks on it

    @property
    def availability(self) -> str:
        """What the node's was before."""
        return self.drained.before

    def begin(self) -> None:
        drains.begin(self.manager, self.drained)

    def end(self) -> None:
        """Give the node the availability that it had before."""
        drains.end(self.manager, self.drained)


def drain_of(manager: Host, lab: str, node: str, host: str, *, any_swarm: bool) -> Drain:
    """What draining a node means; raises NotPermitted where it would concern others.

    That is so when tasks of a service that the lab did not create are on the node, and, unless `any_swarm`, in a
    Swarm that was not initialised for the lab.
    """
    with engine(manager, f"inspect node {host}") as api:
        swarm = api.inspect_swarm()
        found = api.inspect_node(node)
        tasks = api.tasks(filters={"node": node})
        services = {str(one["ID"]): one for one in api.services()}
    if not any_swarm and (swarm["Spec"].get("Labels") or {}).get(LABEL_LAB) != lab:
        raise NotPermitted(
            manager.name,
            f"{host} is not drained: the Swarm was not initialised by clusterlab for the lab {lab}",
            remedy="Set `allow_actions: true` in the inventory, or leave drain to a Swarm of the lab's own.",
        )
    ids = {str(task.get("ServiceID")) for task in tasks if task["Status"]["State"] in _AT_WORK}
    on_it = [ServiceHandle(manager, lab, str(services[id]["Spec"]["Name"]), services[id]) for id in ids & set(services)]
    foreign = sorted(one.name for one in on_it if not one.ours)
    if foreign:
        raise NotPermitted(
            manager.name,
            f"{host} is not drained: tasks of {', '.join(foreign)} are on it, which clusterlab did not create",
            remedy=f"Drain another node, or move them first: docker node ps {host}",
        )
    own = tuple(sorted((one.own() for one in on_it), key=lambda one: one.name))
    play = next((play for one in own if (play := play_of(labels_of(one.report)))), "")
    before = drains.drained(found)  # a check that was killed may have left it so
    availability = before.before if before else str(found["Spec"]["Availability"])
    return Drain(manager, drains.Drained(node, lab, before.play if before else play, availability), own)

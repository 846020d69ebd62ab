"""Actions on Swarm services and nodes between the probes of a check, and putting back what they changed."""

from __future__ import annotations

from dataclasses import dataclass

import docker.errors

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.model.actions import Action
from clusterlab.remote import Host
from clusterlab.resources import swarm_actions, swarm_tasks
from clusterlab.resources.observed import Json
from clusterlab.resources.removal import wait_for

from .finding import Finding, finding, unasked
from .place import Places, WrongAnswer

_ENDS = 30.0  # seconds in which the Swarm notices that a task's processes were killed
_SETTLES = 120.0  # seconds until a service's tasks are as before


@dataclass(frozen=True)
class _Before:
    """How a service was before the first action on it."""

    replicas: int | None
    tasks: int
    crowd: int  # tasks on the fullest node


class SwarmActions:
    """Carries out actions, and remembers how each service and node was before the first of them."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._services: dict[str, _Before] = {}
        self._nodes: dict[str, tuple[str, str]] = {}  # host: id and availability

    def act(self, action: Action) -> Finding:
        """Do it. What follows from it in the Swarm takes its time, and is for the next probe to ask."""
        try:
            if action.drain is not None:
                return self._drain(action.drain)
            self._remember(action.service)
            if action.scale is not None:
                return self._scale(action.service, action.scale.replicas)
            return self._kill(action.service)
        except ClusterlabError as error:
            return unasked(self._places.manager, _aim(action), error)

    def put_back(self) -> list[Finding]:
        """Make everything as it was; a finding for each service and node with which that failed."""
        failed = []
        for host, (node, availability) in self._nodes.items():
            try:
                swarm_actions.set_availability(self._manager, node, availability)
            except ClusterlabError as error:
                failed.append(unasked(self._places.manager, f"{host} is {availability} again", error))
        for service, before in self._services.items():
            try:
                self._restore(service, before)
            except ClusterlabError as error:
                failed.append(unasked(self._places.manager, f"service {service} is as it was again", error))
        return failed

    @property
    def _manager(self) -> Host:
        return self._places.hosts[self._places.manager]

    def _remember(self, service: str) -> None:
        if service not in self._services:
            self._require(service)
            tasks, replicas = self._tasks(service), swarm_tasks.replicas(self._manager, service)
            # Of a service that is just starting, what it is to have counts, not what runs yet.
            wanted = len(tasks) if replicas is None else replicas
            crowd = swarm_tasks.crowd(tasks) if len(tasks) == wanted else wanted
            self._services[service] = _Before(replicas, wanted, crowd)

    def _require(self, service: str) -> None:
        with self._places.engine(self._places.manager) as engine:
            try:
                engine.inspect_service(service)  # type: ignore[no-untyped-call]
            except docker.errors.NotFound as error:
                raise WrongAnswer(f"there is no service {service}", remedy="`clusterlab apply` makes it") from error

    def _tasks(self, service: str) -> list[Json]:
        return swarm_tasks.running_tasks(self._manager, service, self._places.lab.inventory)

    def _scale(self, service: str, replicas: int) -> Finding:
        swarm_tasks.scale(self._manager, service, replicas)
        was = self._services[service].replicas
        return self._done(
            f"docker service scale --detach {service}={replicas}",
            f"service {service} is to have {replicas} tasks",
            f"it was to have {was}, and is to have {replicas} now",
        )

    def _kill(self, service: str) -> Finding:
        tasks = self._tasks(service)
        if not tasks:
            raise WrongAnswer(f"no task of service {service} runs", remedy=f"`docker service ps {service}` tells why")
        task = min(tasks, key=lambda one: (one.get("Slot", 0), one["Node"]))
        host, container = task["Node"], task["Status"]["ContainerStatus"]["ContainerID"]
        if host not in self._places.lab.inventory.hosts:
            raise HostError(host, "a task to be killed runs there, and it is no host of the inventory")
        with self._places.engine(host) as engine:
            engine.kill(container)
        # The next probe must not find the killed task still counted among those that run.
        wait_for(
            lambda: task["ID"] not in {one["ID"] for one in self._tasks(service)},
            f"the Swarm to notice that a task of service {service} was killed",
            self._places.manager,
            _ENDS,
        )
        return self._done(
            f"docker kill {container[:12]}",
            f"a task of service {service} is killed",
            f"container {container[:12]} on {host} was killed",
            host,
        )

    def _drain(self, host: str) -> Finding:
        hosts = swarm_tasks.hosts_of_nodes(self._manager, self._places.lab.inventory)
        node = next((node for node, name in hosts.items() if name == host), "")
        if not node:
            raise WrongAnswer(f"{host} is not in the Swarm", remedy="`clusterlab provision` brings it there")
        for service in swarm_tasks.services_on(self._manager, node):
            self._remember(service)
        with self._places.engine(self._places.manager) as engine:
            was = engine.inspect_node(node)["Spec"]["Availability"]
        self._nodes.setdefault(host, (node, was))
        swarm_actions.set_availability(self._manager, node, "drain")
        command = f"docker node update --availability drain {host}"
        return self._done(command, f"{host} gives its tasks away", f"it was {was}, and is drained now")

    def _done(self, command: str, wanted: str, found: str, host: str = "") -> Finding:
        return finding(host or self._places.manager, command, holds=True, wanted=wanted, found=found)

    def _restore(self, service: str, before: _Before) -> None:
        """As many tasks as before, and no more of them on one node than before: the Swarm moves none back unasked."""
        if before.replicas is not None and swarm_tasks.replicas(self._manager, service) != before.replicas:
            swarm_tasks.scale(self._manager, service, before.replicas)
        self._settled(service, before)
        if swarm_tasks.crowd(self._tasks(service)) > before.crowd:
            swarm_tasks.spread(self._manager, service)
            self._settled(service, before)

    def _settled(self, service: str, before: _Before) -> None:
        wait_for(
            lambda: len(self._tasks(service)) == before.tasks and not swarm_tasks.is_updating(self._manager, service),
            f"{before.tasks} tasks of service {service} to run again",
            self._places.manager,
            _SETTLES,
        )


def _aim(action: Action) -> str:
    if action.drain is not None:
        return f"{action.drain} gives its tasks away"
    if action.scale is not None:
        return f"service {action.service} is to have {action.scale.replicas} tasks"
    return f"a task of service {action.service} is killed"

"""Actions on Swarm services and nodes between the probes of a check.

What they changed is restored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.model.actions import Action
from clusterlab.remote import Host
from clusterlab.resources import swarm_tasks
from clusterlab.resources.observed import Json
from clusterlab.resources.removal import wait_for
from clusterlab.resources.service_modes import is_job
from clusterlab.resources.swarm_handle import Drain, NoSuchService, OwnService, drain_of, find_service
from clusterlab.waiting import wait_until

from .finding import Finding, finding, unasked
from .place import WrongAnswer
from .places import Places

T = TypeVar("T")
_ENDS = 30.0  # seconds in which the Swarm notices that a task's processes were killed
_SCALES = 60.0  # seconds in which a Swarm has a leader again
_SETTLES = 300.0  # seconds until a service's tasks are as before; an emulated machine starts them slowly


@dataclass(frozen=True)
class _Before:
    """A service as it was before the first action on it."""

    service: OwnService
    replicas: int | None
    tasks: int
    crowd: int  # tasks on the fullest node


class SwarmActions:
    """Carries out actions on services and nodes.

    It remembers how each of them was before the first action.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._services: dict[str, _Before] = {}
        self._drains: dict[str, Drain] = {}  # by host

    def act(self, action: Action) -> Finding:
        """Carry out an action.

        What follows from it in the Swarm takes its time, and is for the next probe to ask.
        """
        try:
            if action.drain is not None:
                return self._drain(action.drain)
            before = self._remember(self._find(action.service))
            if action.scale is not None:
                return self._scale(before, action.scale.replicas)
            return self._kill(before.service)
        except NoSuchService as error:
            return unasked(self._places.manager, _aim(action), WrongAnswer(error.message, remedy=error.remedy))
        except ClusterlabError as error:
            return unasked(self._places.manager, _aim(action), error)

    def restore(self) -> list[Finding]:
        """Restore everything; a finding for each service and node with which that failed."""
        failed = []
        for host, drain in self._drains.items():
            try:
                drain.end()
            except ClusterlabError as error:
                failed.append(unasked(self._places.manager, f"{host} is {drain.availability} again", error))
        for name, before in self._services.items():
            try:
                self._restore(before)
            except ClusterlabError as error:
                failed.append(unasked(self._places.manager, f"service {name} is restored", error))
        return failed

    def _ask(self, ask: Callable[[Host], T]) -> T:
        """What `ask` returns of the first manager that answers."""
        return self._places.ask_manager(lambda name: ask(self._places.hosts[name]))[1]

    def _find(self, name: str) -> OwnService:
        return self._ask(lambda manager: find_service(manager, self._places.lab.name, name)).own()

    def _remember(self, service: OwnService) -> _Before:
        if service.name not in self._services:
            tasks, replicas = self._tasks(service), service.replicas()
            # Of a service that is just starting, what it should have counts, not what runs yet.
            wanted = len(tasks) if replicas is None else replicas
            crowd = swarm_tasks.crowd(tasks) if len(tasks) == wanted else wanted
            self._services[service.name] = _Before(service, replicas, wanted, crowd)
        return self._services[service.name]

    def _tasks(self, service: OwnService) -> list[Json]:
        return service.tasks(self._places.lab.inventory)

    def _scale(self, before: _Before, replicas: int) -> Finding:
        before.service.scale(replicas)
        name = before.service.name
        return self._done(
            f"docker service scale --detach {name}={replicas}",
            f"service {name} should have {replicas} tasks",
            f"it should have had {before.replicas}, and should have {replicas} now",
        )

    def _kill(self, service: OwnService) -> Finding:
        tasks = self._tasks(service)
        if not tasks:
            raise WrongAnswer(
                f"no task of service {service.name} runs", remedy=f"`docker service ps {service.name}` shows why"
            )
        task = min(tasks, key=lambda one: (one.get("Slot", 0), one["Node"]))
        host, container = task["Node"], task["Status"]["ContainerStatus"]["ContainerID"]
        if host not in self._places.lab.inventory.hosts:
            raise HostError(host, "the task to kill runs there, but the inventory has no such host")
        service.kill(task, self._places.hosts[host])
        # The next probe must not find the killed task still counted among those that run.
        wait_for(
            lambda: task["ID"] not in {one["ID"] for one in self._tasks(service)},
            f"the Swarm to notice that a task of service {service.name} was killed",
            self._places.manager,
            _ENDS,
        )
        return self._done(
            f"docker kill {container[:12]}",
            f"a task of service {service.name} is killed",
            f"container {container[:12]} on {host} was killed",
            host,
        )

    def _drain(self, host: str) -> Finding:
        inventory = self._places.lab.inventory
        hosts = self._ask(lambda manager: swarm_tasks.hosts_of_nodes(manager, inventory))
        node = next((node for node, name in hosts.items() if name == host), "")
        if not node:
            raise WrongAnswer(f"{host} is not in the Swarm", remedy="`clusterlab provision` joins it")
        permitted = inventory.allow_actions is True
        drain = self._ask(lambda manager: drain_of(manager, inventory.lab, node, host, any_swarm=permitted))
        for service in drain.services:
            self._remember(service)
        drain = self._drains.setdefault(host, drain)
        drain.begin()
        command = f"docker node update --availability drain {host}"
        return self._done(command, f"{host} gives its tasks away", f"it was {drain.availability}, and is drained now")

    def _done(self, command: str, wanted: str, found: str, host: str = "") -> Finding:
        return finding(host or self._places.manager, command, holds=True, wanted=wanted, found=found)

    def _restore(self, before: _Before) -> None:
        """As many tasks as before, and no more of them on one node than before.

        The Swarm moves none back unasked. It takes tasks away where most are, and gives new ones to where fewest are
        (swarmkit, replicated orchestrator and scheduler): so those too many on one node end and begin again elsewhere,
        while the others run on. Tasks of a job end by themselves, and a change would run it again.
        """
        service = before.service
        if is_job(service.report["Spec"]):
            return
        if before.replicas is not None and service.replicas() != before.replicas:
            service.scale(before.replicas)
        self._settled(before, before.tasks)
        surplus = swarm_tasks.surplus(self._tasks(service), before.crowd)
        if before.replicas is not None and surplus:
            try:
                service.scale(before.replicas - surplus)
                self._settled(before, before.replicas - surplus)
            finally:
                self._scale_back(before, before.replicas)
            self._settled(before, before.tasks)

    def _scale_back(self, before: _Before, replicas: int) -> None:
        """Also when no manager takes the change for a while: a service must not be left with fewer tasks."""
        refused: list[ClusterlabError] = []

        def scaled() -> bool:
            try:
                before.service.scale(replicas)
            except ClusterlabError as error:
                refused.append(error)
                return False
            return True

        wait_until(
            scaled,
            f"service {before.service.name} to have {replicas} tasks again",
            _SCALES,
            subject=self._places.manager,
            seen=lambda: refused[-1].message,
            remedy=f"docker service scale {before.service.name}={replicas}",
        )

    def _settled(self, before: _Before, tasks: int) -> None:
        service = before.service
        wait_for(
            lambda: len(self._tasks(service)) == tasks and not service.is_updating(),
            f"{tasks} task{'s' if tasks != 1 else ''} of service {service.name} to run again",
            self._places.manager,
            _SETTLES,
        )


def _aim(action: Action) -> str:
    if action.drain is not None:
        return f"{action.drain} gives its tasks away"
    if action.scale is not None:
        return f"service {action.service} should have {action.scale.replicas} tasks"
    return f"a task of service {action.service} is killed"

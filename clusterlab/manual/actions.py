"""The commands of actions, and those that restore what they changed."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator

from clusterlab.checks import actions
from clusterlab.checks.manual.line import HERE, Line
from clusterlab.checks.manual.where import Where, with_variables
from clusterlab.docker_labels import SERVICE
from clusterlab.model.actions import Action, Connection
from clusterlab.resources.container_body import WantedContainer, wanted_container
from clusterlab.resources.engine_calls import shell

_ENDS = {"stop": False, "kill": False, "start": True, "restart": True, "recreate": True}
"""Whether a container runs after an action."""
_NOTICED = 60.0  # seconds for the Swarm to see that a task was killed


class Actions:
    """The lines of one check's actions; it knows what they changed so far."""

    def __init__(self, where: Where) -> None:
        self._where = where
        self._running: dict[str, bool] = {}
        self._off: dict[tuple[str, str], bool] = {}  # (container, network): whether it was taken off, or put on
        self._scaled: dict[str, int] = {}  # a service's tasks
        self._drained: dict[str, None] = {}
        self._broken = False

    def lines(self, action: Action) -> Iterator[Line]:
        """What does it."""
        if action.breaks:
            yield from self._fault(action)
            return
        if not action.container:
            yield from self._swarm(action)
            return
        name = action.container
        place = self._where.container(name)
        value = getattr(action, action.name)
        if isinstance(value, Connection):
            self._connected(value, action.name == "disconnect")
            if action.name == "connect":
                yield Line(place.host, shlex.join(self._wanted(name).connect_command(value.network)))
                return
        else:
            self._running[name] = _ENDS[action.name]
        if action.name == "recreate":
            remove = [["docker", "stop", name], ["docker", "rm", "--volumes", name]]
            environment = self._where.environment("container", name)
            yield Line(place.host, shell(*remove, *self._wanted(name).commands), environment=environment)
        elif action.name == "kill":  # the engine answers before the process has ended
            yield Line(place.host, f"{actions.shell_command(action)} && docker wait {name}")
        else:
            yield Line(place.host, actions.shell_command(action))

    def _fault(self, action: Action) -> Iterator[Line]:
        """The command that injects and proves a fault as the check does, or heals it."""
        if action.fault is None:
            self._broken = False
            yield Line(HERE, "clusterlab heal")
            return
        self._broken = True
        written = action.fault.model_dump(by_alias=True, exclude_unset=True)
        yield Line(HERE, f"clusterlab fault {shlex.quote(json.dumps({action.name: written}))}")

    def restore(self) -> Iterator[Line]:
        """What makes everything as it was."""
        if self._broken:
            yield Line(HERE, "clusterlab heal")
        for (name, network), off in self._off.items():
            host = self._where.container(name).host
            words = ["docker", "network", "disconnect", network, name]
            yield Line(host, shlex.join(self._wanted(name).connect_command(network) if off else words))
        for name, running in self._running.items():
            if not running:
                yield Line(self._where.container(name).host, f"docker start {name}")
        manager = self._where.manager
        yield from (Line(manager, f"docker node update --availability active {host}") for host in self._drained)
        for service, given in self._scaled.items():
            replicas = self._where.play.services[service].deploy.replicas
            if given != replicas:
                yield Line(manager, f"docker service scale {service}={replicas}")
        for service in self._where.play.services if self._drained else ():
            yield Line(manager, f"docker service update --force {service}")  # the Swarm moves no task back unasked

    def _connected(self, value: Connection, off: bool) -> None:
        """Two actions that undo each other leave nothing to be restored."""
        key = (value.container, value.network)
        if self._off.get(key) is (not off):
            del self._off[key]
        else:
            self._off[key] = off

    def _wanted(self, name: str) -> WantedContainer:
        container = self._where.play.containers[name]
        image = self._where.images[container.image]
        return wanted_container(self._where.lab.name, self._where.play_name, name, container, image)

    def _swarm(self, action: Action) -> Iterator[Line]:
        if action.drain is not None:
            self._drained[action.drain] = None
            yield Line(self._where.manager, f"docker node update --availability drain {action.drain}")
        elif action.scale is not None:
            self._scaled[action.service] = action.scale.replicas
            yield Line(self._where.manager, f"docker service scale --detach {action.service}={action.scale.replicas}")
        else:  # one of the nodes has the task, and only that has something to do
            own = f"label={SERVICE}={action.service}"  # a filter by name also finds what contains the name
            first = f"'name=^{re.escape(action.service)}\\.1\\.'"
            kill = f"docker ps --quiet --filter {own} --filter {first} | xargs --no-run-if-empty docker kill"
            listed = f"docker service ps --quiet --filter desired-state=running {action.service} | sort"
            before = self._where.looked_up(self._where.manager, f"tasks of {action.service} before", listed)
            yield from self._where.taken()
            yield from (Line(host, kill) for host in self._where.lab.inventory.swarm_hosts)
            # What comes next must not find the killed task still counted among those that run.
            other = f'now=$({listed}) && [ "$now" ] && [ "$now" != {with_variables(before)} ]'
            yield Line(self._where.manager, listed, "other tasks than before", other, within=_NOTICED)

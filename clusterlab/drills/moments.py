"""What happens in the Swarm during a drill, as its managers see it.

Nodes that go and come, tasks that move.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from clusterlab.errors import ClusterlabError
from clusterlab.faults import Scene
from clusterlab.resources.engine_calls import engine
from clusterlab.resources.swarm_nodes import address, list_nodes
from clusterlab.results import Moment
from clusterlab.waiting import within

_SECONDS = 4.0
"""How long a manager may take to answer; later is nothing seen."""


@dataclass(frozen=True)
class Placement:
    """Where tasks run at a moment of this workstation.

    The hosts of each service, without nodes that are down.
    """

    at: float
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _View:
    """The Swarm at one moment.

    The state of each node, and the hosts of each service's tasks.
    """

    nodes: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Watch:
    """Looks at the Swarm from time to time, and notes what differs from before."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._names = {str(host.address): name for name, host in scene.lab.inventory.hosts.items()}
        self._in_swarm = bool(scene.lab.inventory.with_role("swarm_manager"))
        self._noted: list[tuple[float, str]] = []
        self._last = self._view() or _View()
        self._placements = [Placement(time.monotonic(), self._last.services)]

    def look(self) -> None:
        """Note what is different now. A Swarm that does not answer shows nothing."""
        now = time.monotonic()
        view = self._view()
        if view is None:
            return
        self._noted += [(now, text) for text in _changes(self._last, view)]
        if view.services != self._last.services:
            self._placements.append(Placement(now, view.services))
        self._last = view

    @property
    def placements(self) -> tuple[Placement, ...]:
        """Where tasks ran before the fault, and after each change."""
        return tuple(self._placements)

    def moments(self, since: float) -> tuple[Moment, ...]:
        """What was noted, in seconds after a moment of this workstation."""
        return tuple(Moment(round(at - since, 1), text) for at, text in self._noted)

    def _view(self) -> _View | None:
        """The Swarm as a manager sees it; None when none answers in time."""
        if not self._in_swarm:
            return _View()
        found = within(_SECONDS, self._ask)
        return None if found is None or isinstance(found, ClusterlabError) else found

    def _ask(self) -> _View:
        manager = self._scene.manager
        nodes = {str(node["ID"]): node for node in list_nodes(manager)}
        with engine(manager, "list the Swarm's services and tasks") as api:
            services = {str(one["ID"]): str(one["Spec"]["Name"]) for one in api.services()}
            tasks = api.tasks(filters={"desired-state": "running"})
        hosts: dict[str, set[str]] = {name: set() for name in services.values()}
        for task in tasks:
            node = nodes.get(str(task.get("NodeID")))
            name = services.get(str(task.get("ServiceID")))
            if node and name and task["Status"]["State"] == "running" and node["Status"]["State"] == "ready":
                hosts[name].add(self._name(node))
        return _View(
            {self._name(node): _state(node) for node in nodes.values()},
            {name: tuple(sorted(found)) for name, found in hosts.items()},
        )

    def _name(self, node: Mapping[str, Any]) -> str:
        return self._names.get(address(node), address(node))


def _changes(before: _View, now: _View) -> Iterator[str]:
    for name, state in now.nodes.items():
        if before.nodes.get(name, state) != state:
            yield f"{name} is {state}"
    for name, hosts in now.services.items():
        if before.services.get(name, hosts) != hosts:
            yield f"{name} runs on {', '.join(hosts)}" if hosts else f"{name} does not run"


def _state(node: Mapping[str, Any]) -> str:
    """Ready or Down, and whether it leads."""
    state = str(node["Status"]["State"]).capitalize()
    return f"{state}, leader" if (node.get("ManagerStatus") or {}).get("Leader") else state

"""What happens in the Swarm during a drill, as its managers see it.

Nodes that go and come, tasks that move.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from clusterlab.errors import ClusterlabError
from clusterlab.faults import Scene
from clusterlab.resources.swarm_nodes import address, list_nodes
from clusterlab.results import Moment
from clusterlab.waiting import within

_SECONDS = 4.0
"""How long a manager may take to answer; later is nothing seen."""

View = Mapping[str, str]


class Watch:
    """Looks at the Swarm from time to time, and notes what differs from before."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._names = {str(host.address): name for name, host in scene.lab.inventory.hosts.items()}
        self._in_swarm = bool(scene.lab.inventory.with_role("swarm_manager"))
        self._noted: list[tuple[float, str]] = []
        self._last: View = self._view() or {}

    def look(self) -> None:
        """Note what is different now. A Swarm that does not answer shows nothing."""
        now = time.monotonic()
        view = self._view()
        if view is None:
            return
        for name, state in view.items():
            if self._last.get(name, state) != state:
                self._noted.append((now, f"{name} is {state}"))
        self._last = view

    def moments(self, since: float) -> tuple[Moment, ...]:
        """What was noted, in seconds after a moment of this workstation."""
        return tuple(Moment(round(at - since, 1), text) for at, text in self._noted)

    def _view(self) -> View | None:
        """The state of each node, as a manager sees it; None when none answers in time."""
        if not self._in_swarm:
            return {}
        nodes = within(_SECONDS, self._nodes)
        if nodes is None or isinstance(nodes, ClusterlabError):
            return None
        return {self._names.get(address(node), address(node)): _state(node) for node in nodes}

    def _nodes(self) -> list[dict[str, Any]]:
        return list_nodes(self._scene.manager)


def _state(node: Mapping[str, Any]) -> str:
    """Ready or Down, and whether it leads."""
    state = str(node["Status"]["State"]).capitalize()
    return f"{state}, leader" if (node.get("ManagerStatus") or {}).get("Leader") else state

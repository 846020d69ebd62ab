"""The fault `drain_node`: what an operator does to a node before its maintenance."""

from __future__ import annotations

from clusterlab.errors import ClusterlabError
from clusterlab.resources import swarm_tasks
from clusterlab.resources.engine_calls import engine
from clusterlab.resources.swarm_handle import drain_of

from .errors import NoEffect
from .kind import Before, FaultKind, HostParameters, OnHost, Seen
from .scene import Scene


class DrainNode(FaultKind[HostParameters]):
    """Drains a node: the Swarm ends its tasks and starts them elsewhere.

    As before the maintenance of a host.

    A service with one task is away until the new one runs: it is not started before the old one has ended. Healing
    gives the node its availability again; tasks do not move back.
    """

    name = "drain_node"
    model = HostParameters
    within = 60.0

    def parts(self, params: HostParameters, scene: Scene) -> list[OnHost]:
        manager, node, availability = self._node(params, scene)
        if availability == "drain":
            raise NoEffect(f"{self.name}: {params.at} is drained already")
        update = f"docker node update --availability {{}} {node} >/dev/null"
        return [OnHost(manager, update.format("drain"), update.format(availability))]

    def before(self, params: HostParameters, scene: Scene) -> Before:
        return {"availability": self._node(params, scene)[2]}

    def effect(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        _, node, availability = self._node(params, scene)
        running = self._tasks(node, scene)
        return Seen(
            availability == "drain" and not running,
            f"the availability of {params.at} is {availability}, and {running} tasks run there",
        )

    def gone(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        availability = self._node(params, scene)[2]
        return Seen(availability == before["availability"], f"the availability of {params.at} is {availability}")

    def _node(self, params: HostParameters, scene: Scene) -> tuple[str, str, str]:
        """A manager, the id of the host's node, and its availability.

        Raises NotPermitted where it concerns others.
        """
        manager = scene.manager
        names = swarm_tasks.hosts_of_nodes(manager, scene.lab.inventory)
        node = next((id for id, name in names.items() if name == params.at), "")
        if not node:
            raise ClusterlabError(f"{params.at} is not in the Swarm", remedy="`clusterlab provision` joins it.")
        return manager.name, node, drain_of(manager, scene.lab.name, node, params.at, any_swarm=False).availability

    def _tasks(self, node: str, scene: Scene) -> int:
        """How many tasks run on a node, those included that are to end."""
        with engine(scene.manager, "list the tasks of a node") as api:
            tasks = api.tasks(filters={"node": node})
        return sum(task["Status"]["State"] == "running" for task in tasks)


DRAIN_NODE = DrainNode()

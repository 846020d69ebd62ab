"""Who answers at a port that a service publishes.

Where the kernels list a connection that is held open meanwhile.

A port that opens may be open for another reason: dockerd itself holds ports that the Swarm publishes, so that a
connection opens although nothing is passed on, and a rule of the firewall or another server may take them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clusterlab.parallel import parallel, results_of

from .batch import Met
from .listening import connections, tables
from .place import NotUnderstood, Place
from .places import Places
from .swarm_task import Task, by_host, outside

_TABLES = ["sh", "-c", "cat /proc/net/tcp; cat /proc/net/tcp6 2> /dev/null || true"]
Pair = tuple[int, int]
"""A connection: the own port, and that of the other end."""


@dataclass(frozen=True)
class Answerer:
    """Who answers, and whether it is a task of the service."""

    holds: bool
    found: str


@dataclass(frozen=True)
class Sockets:
    """The connections of nodes, outside of containers, and of tasks, at one moment.

    `unread` are tasks on hosts that are not in the inventory.
    """

    of_nodes: Mapping[str, frozenset[Pair]]
    of_tasks: Mapping[Task, frozenset[Pair]]
    unread: Sequence[Task] = ()


def sockets_of(nodes: Sequence[str], tasks: Sequence[Task], places: Places) -> Sockets:
    """Read them; of tasks only those on hosts of the inventory.

    Raises as `run_for` does.
    """
    unread = [task for task in tasks if task.host not in places.lab.inventory.hosts]
    known = by_host([task for task in tasks if task not in unread])

    def of_node(node: str) -> frozenset[Pair]:
        completed = places.run(Place(node), _TABLES)
        if not completed.ok:
            raise NotUnderstood(f"the sockets of {node} could not be read", detail=completed.output)
        return connections(completed.stdout)

    read = results_of(parallel(of_node, nodes, name="sockets"))
    listed = results_of(parallel(lambda host: tables(known[host], places), list(known), name="sockets"))
    of_tasks = {task: connections(table) for each in listed for task, table in each.items()}
    return Sockets(dict(zip(nodes, read, strict=True)), of_tasks, unread)


def answerer(node: str, port: int, target: int, met: Met, sockets: Sockets, *, on_node: bool) -> Answerer:
    """Who has a connection that is held to a published port of a node.

    `target` is the port in the tasks.

    With `on_node` a task of the node has to answer, otherwise any may. It must have the connection, by its own port and
    by that of the other end, which the way from the node hardly ever changes. Raises NoAnswer when it may end at a task
    that cannot be asked, and NotUnderstood when the way may have changed the port.
    """
    tasks = {task: found for task, found in sockets.of_tasks.items() if task.host == node or not on_node}
    for task, pairs in tasks.items():
        if (target, met.port) in pairs:
            return Answerer(True, f"{task} has the connection")
    own = sockets.of_nodes[node]
    if (port, met.port) in own:
        for task, pairs in tasks.items():
            if any((other, mine) in own for mine, other in pairs if mine == target):
                return Answerer(True, f"a process of {node} passes it on to {task}")
        return Answerer(False, f"but the connection ends at a process of {node}, and at no task of the service")
    if not on_node and sockets.unread:
        raise outside(sockets.unread[0].name, sockets.unread[0].host)
    others = [str(task) for task, pairs in tasks.items() if any(mine == target for mine, _ in pairs)]
    if not on_node and others:
        raise NotUnderstood(
            f"port {port} of {node} opens, and no task shows that connection; {', '.join(others)} shows others, of "
            "which one may be it with another port",
            remedy="ask again when fewer clients use the service",
        )
    return Answerer(False, "but no task of the service has the connection")

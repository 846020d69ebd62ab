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
from .swarm_task import Task, by_host

_TABLES = ["sh", "-c", "cat /proc/net/tcp; cat /proc/net/tcp6 2> /dev/null || true"]
Pair = tuple[int, int]
"""A connection: the own port, and that of the other end."""


@dataclass(frozen=True)
class Answerer:
    """What is known of who answers.

    `holds` also where it is not known, but passed on by the node.
    """

    holds: bool
    found: str


@dataclass(frozen=True)
class Sockets:
    """The connections of nodes, outside of containers, and of tasks, at one moment."""

    of_nodes: Mapping[str, frozenset[Pair]]
    of_tasks: Mapping[Task, frozenset[Pair]]


def sockets_of(nodes: Sequence[str], tasks: Sequence[Task], places: Places) -> Sockets:
    """Read them; of tasks only those on hosts of the inventory.

    Raises as `run_for` does.
    """
    known = by_host([task for task in tasks if task.host in places.lab.inventory.hosts])

    def of_node(node: str) -> frozenset[Pair]:
        completed = places.run(Place(node), _TABLES)
        if not completed.ok:
            raise NotUnderstood(f"the sockets of {node} could not be read", detail=completed.output)
        return connections(completed.stdout)

    read = results_of(parallel(of_node, nodes, name="sockets"))
    listed = results_of(parallel(lambda host: tables(known[host], places), list(known), name="sockets"))
    of_tasks = {task: connections(table) for each in listed for task, table in each.items()}
    return Sockets(dict(zip(nodes, read, strict=True)), of_tasks)


def answerer(node: str, port: int, target: int, met: Met, sockets: Sockets, *, on_node: bool) -> Answerer:
    """Who has a connection that is held to a published port of a node.

    `target` is the port in the tasks.

    With `on_node` a task of the node has to answer. Otherwise any may: the node passes the connection on, and where
    it does but no task shows it, the way may have given it another port.
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
    if on_node:
        return Answerer(False, "but no task of the service has the connection")
    return Answerer(True, f"{node} passes the connection on; at which task it ends was not seen")

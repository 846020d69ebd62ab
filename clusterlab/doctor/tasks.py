"""Tasks of services that failed, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from .cluster import Cluster, once
from .document import Document
from .finding import Fix, Seen
from .sections import CLOCK

RECENT = 600.0
"""Seconds for which a failure counts."""
_FAILED = ("failed", "rejected")
_MOVED = "assigned node no longer meets constraints"
"""Of a task that the Swarm rejects to start it elsewhere (swarmkit, constraintenforcer): nothing of it failed."""


@dataclass(frozen=True)
class Failure:
    """A task that ended in an error."""

    service: str
    slot: str
    host: str  # where it ran, as people call the node
    state: str
    error: str
    exit: int
    at: float  # Unix time
    image: str

    def seen(self, manager: str) -> Seen:
        return Seen(manager, f"docker service ps --no-trunc {self.service}", "running", f"{self.host}: {self.error}")


def timestamp(task: Document) -> float:
    """Unix time of a task's status."""
    return task.time("Status", "Timestamp")


def slot(task: Document) -> str:
    """What a task is of its service: its number, or the node of a global one."""
    return str(int(task.number("Slot", default=0)) or task.text("NodeID", default=""))


@once
def recent_failures(cluster: Cluster) -> list[Failure]:
    """Those of the last ten minutes, the newest first."""
    names, tasks = cluster.service_names(), cluster.tasks()
    now = cluster.manager.read(CLOCK)
    found = []
    for task in tasks:
        service = names.get(task.text("ServiceID", default=""))
        status = task.at("Status")
        failed = status.text("State") in _FAILED and status.text("Err", default="") != _MOVED
        if service and failed and now - timestamp(task) < RECENT:
            found.append(
                Failure(
                    service,
                    slot(task),
                    cluster.name_of(task.text("NodeID", default="")),
                    status.text("State"),
                    status.text("Err", default=""),
                    int(status.number("ContainerStatus", "ExitCode", default=0)),
                    timestamp(task),
                    task.text("Spec", "ContainerSpec", "Image", default=""),
                )
            )
    return sorted(found, key=lambda one: -one.at)


def unsolved(cluster: Cluster, *texts: str) -> Iterator[tuple[str, list[Failure]]]:
    """Services with recent failures with one of these texts that did not recover.

    No task of the slot runs since.
    """
    running = _running(cluster)
    groups: dict[str, list[Failure]] = defaultdict(list)
    for one in recent_failures(cluster):
        matches = any(text in one.error.lower() for text in texts)
        if matches and running.get((one.service, one.slot), 0.0) < one.at:
            groups[one.service].append(one)
    yield from groups.items()


@once
def _running(cluster: Cluster) -> dict[tuple[str, str], float]:
    """Since when a task of a service's slot runs, by the service's name and the slot."""
    names = cluster.service_names()
    return {
        (names.get(task.text("ServiceID", default=""), ""), slot(task)): timestamp(task)
        for task in cluster.tasks()
        if task.text("Status", "State") == "running"
    }


def retry(service: str) -> Fix:
    """What makes the Swarm try again at once."""
    return Fix("", f"docker service update --force {service}")


@dataclass(frozen=True)
class Members:
    """Addresses of a service's tasks on one network."""

    certain: frozenset[str]  # of those that run and are to run, on nodes that answer
    possible: frozenset[str]  # of all that run


@once
def members(cluster: Cluster) -> dict[tuple[str, str], Members]:
    """By the service's name and the network's ID."""
    names = cluster.service_names()
    certain: dict[tuple[str, str], set[str]] = defaultdict(set)
    possible: dict[tuple[str, str], set[str]] = defaultdict(set)
    ready = {node.id for node in cluster.nodes() if node.state == "ready" and cluster.host_of(node.id)}
    for task in cluster.tasks():
        service = names.get(task.text("ServiceID", default=""))
        if not service or task.text("Status", "State") != "running":
            continue
        for attachment in task.items("NetworksAttachments"):
            key = (service, attachment.text("Network", "ID", default=""))
            addresses = {one.partition("/")[0] for one in attachment.words("Addresses") if ":" not in one}
            possible[key] |= addresses
            if task.text("DesiredState", default="") == "running" and task.text("NodeID", default="") in ready:
                certain[key] |= addresses
    return {key: Members(frozenset(certain[key]), frozenset(found)) for key, found in possible.items()}

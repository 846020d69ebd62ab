"""What the test proves of published ports, from every host of the inventory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .subject import Statement, Subject

_TASKS_RUN = "60s"  # within which tasks of a service that was just created run, and the Swarm knows it everywhere


def published(subject: Subject) -> Iterator[Statement]:
    title = "a port that a node publishes for its own container is open to all other hosts"
    yield from _open(subject, title, subject.port, subject.nodes, within=subject.soon)


def ingress(subject: Subject) -> Iterator[Statement]:
    title = "a service's published port is open on every node, with and without a task"
    yield from _open(subject, title, subject.port + 1, subject.nodes, needs=["ipvs"], within=_TASKS_RUN)


def host_mode(subject: Subject) -> Iterator[Statement]:
    """Such a port is open where a task runs and nowhere else, so a node that takes none is not asked for it."""
    title = "a service's port with mode: host is open on every node that takes tasks, for the task there"
    if subject.takers:
        yield from _open(subject, title, subject.port + 2, subject.takers, within=_TASKS_RUN)


def _open(subject: Subject, title: str, port: int, nodes: Sequence[str], **more: object) -> Iterator[Statement]:
    everywhere = list(subject.inventory.hosts)
    if len(everywhere) > 1:
        mesh = {"on": everywhere, "to": list(nodes), "by": "tcp", "port": port}
        yield {"title": f"{title} (TCP {port})", "mesh": mesh, **more}

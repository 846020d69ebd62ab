"""What the test proves of published ports, from every host of the inventory.

That a port is open does not show who has it: each pair proves that one of the test's own answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .names import EACH, WEB, probe
from .subject import Statement, Subject

_TASKS_RUN = "60s"  # within which tasks of a service that was just created run, and the Swarm knows it everywhere


def published(subject: Subject) -> Iterator[Statement]:
    title = "a port that a node publishes for its own container is open to all other hosts"
    own = {"answers": [probe(node) for node in subject.nodes]}
    yield from _open(subject, title, subject.port, subject.nodes, own, within=subject.soon)


def ingress(subject: Subject) -> Iterator[Statement]:
    """Of two nodes both have a task in a quick test."""
    title = "a service's published port is open on every node"
    title += "" if subject.quick and len(subject.nodes) < 3 else ", with and without a task"
    tasks = {"answers": [WEB], "anywhere": True}
    yield from _open(subject, title, subject.port + 1, subject.nodes, tasks, needs=["ipvs"], within=_TASKS_RUN)


def host_mode(subject: Subject) -> Iterator[Statement]:
    """Such a port is open where a task runs and nowhere else, so a node that takes none is not asked for it."""
    title = "a service's port with mode: host is open on every node that takes tasks, for the task there"
    if subject.takers:
        yield from _open(subject, title, subject.port + 2, subject.takers, {"answers": [EACH]}, within=_TASKS_RUN)


def _open(
    subject: Subject, title: str, port: int, nodes: Sequence[str], who: Statement, **more: object
) -> Iterator[Statement]:
    everywhere = list(subject.inventory.hosts)
    if len(everywhere) > 1:
        mesh = {"on": everywhere, "to": list(nodes), "by": "tcp", "port": port, **who}
        yield {"title": f"{title} (TCP {port})", "mesh": mesh, **more}

"""What the test proves of a cluster.

One statement for each property, over all nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .export_properties import listings, locks, mounts, permissions, renames, shares
from .names import APART, EACH, NETWORK, PAIR, SEALED, SPREAD, WEB, apart, probe, sealed
from .port_properties import host_mode, ingress, published
from .subject import Statement, Subject

ROUNDS = "for i in 1 2 3 4; do wget -q -T 5 -O - http://{}/cgi-bin/name || exit; done | sort | uniq -c"


@dataclass(frozen=True)
class Property:
    """One property.

    `of` yields its statements: none where there is nothing to prove, for the reason in `lacks`.
    """

    name: str
    summary: str
    of: Callable[[Subject], Iterator[Statement]]
    quick: bool = True
    stands: tuple[str, ...] = ("probe",)
    """What it needs on the cluster: kinds of containers and volumes, and services."""
    lacks: str = "it needs two nodes"
    surveyed: bool = False
    """Whether what it proves is known only when the cluster has been asked what it uses."""


def _overlay(by: str, title: str, **more: object) -> Callable[[Subject], Iterator[Statement]]:
    def of(subject: Subject) -> Iterator[Statement]:
        if len(subject.nodes) > 1:
            inside = [probe(node) for node in subject.nodes]
            mesh = {"in": inside, "to": inside, "by": by, "network": NETWORK, **more}
            yield {"title": title, "mesh": mesh, "within": subject.soon}

    return of


def _throughput(subject: Subject) -> Iterator[Statement]:
    title = f"every node downloads from every other at {subject.floor[:-1]} {subject.floor[-1]}iB/s or more"
    yield from _overlay("fetch", title, port=80, floor=subject.floor, timeout=10.0)(subject)


def _encrypted(subject: Subject) -> Iterator[Statement]:
    if len(subject.nodes) > 1:
        inside = [sealed(node) for node in subject.nodes]
        for by, what in (
            ("name", "finds every other by its name"),
            ("ping", "reaches every other"),
            ("packets", "reaches every other with packets of full size"),
        ):
            title = f"on an encrypted overlay network every node {what}"
            mesh = {"in": inside, "to": inside, "by": by, "network": SEALED}
            yield {"title": title, "mesh": mesh, "needs": ["xfrm"], "within": subject.soon}


def _news(subject: Subject) -> Iterator[Statement]:
    if len(subject.nodes) > 1:
        title = "the name of a new container is known on every node within seconds (UDP 7946)"
        yield {"title": title, "announce": {"in": [probe(node) for node in subject.nodes], "network": NETWORK}}


def _gossip(subject: Subject) -> Iterator[Statement]:
    if len(subject.nodes) > 1:
        nodes = list(subject.nodes)
        title = "every node reaches the gossip port of every other (TCP 7946)"
        yield {"title": title, "mesh": {"on": nodes, "to": nodes, "by": "tcp", "port": 7946}}


def _managers(subject: Subject) -> Iterator[Statement]:
    others = {*subject.nodes, *subject.managers}
    if len(others) > 1:
        title = "every node reaches every manager (TCP 2377)"
        mesh = {"on": list(subject.nodes), "to": subject.managers, "by": "tcp", "port": 2377}
        yield {"title": title, "mesh": mesh}


def _virtual(subject: Subject) -> Iterator[Statement]:
    inside, rounds = [probe(node) for node in subject.nodes], ROUNDS.format(subject.pair)
    yield {
        "title": "the name of a service is its virtual address on every node",
        "dns": {"in": inside, "name": subject.pair, "is": {"service": subject.pair, "network": NETWORK}},
        "within": subject.soon,
    }
    yield {
        "title": "from every node the virtual address of a service reaches both of its tasks in turn",
        "needs": ["ipvs"],
        "command": {"in": inside, "run": rounds, "stdout": {"matches": "^ *2 [0-9a-f]{12}$", "lines": 2}},
        "within": "60s",
    }


def _isolation(subject: Subject) -> Iterator[Statement]:
    for source, target in _pairs(subject.nodes):
        yield {
            "title": f"{source} does not reach a container of {target} on a network that they do not share",
            "ping": {
                "in": probe(source),
                "to": {"container": apart(target), "network": APART},
                "reachable": False,
                "timeout": "2s",
                "control": {"in": apart(source)},
            },
            "within": subject.soon,
        }


def _pairs(nodes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each node and the next one, the last and the first.

    Every node once on either side.
    """
    if len(nodes) > 1:
        yield from zip(nodes, [*nodes[1:], nodes[0]], strict=True)


def _registries(subject: Subject) -> Iterator[Statement]:
    for image in subject.seen.images if subject.seen else ():
        title = f"the registry of {image} answers every node"
        yield {"title": title, "registry": {"on": list(subject.nodes), "image": image}}


def _start(subject: Subject) -> Iterator[Statement]:
    """Each node that takes tasks has one; nothing but the clocks of managers is compared."""
    title = "on every active node a task of a service runs within 30 s of its creation"
    yield {"title": title, "tasks": {"service": EACH, "running": "each", "started": "30s"}, "within": subject.soon}


def _drain(subject: Subject) -> Iterator[Statement]:
    """One worker that runs no task of anybody; it is given back when the check ends.

    There is a task for every node, so that it has one.
    """
    idle = subject.seen.idle if subject.seen else ()
    workers = [node for node in subject.nodes if node in idle and node not in subject.managers]
    if subject.inventory.allow_actions is True and workers:
        worker, running = workers[-1], {"service": SPREAD, "running": len(subject.inventory.swarm_hosts)}
        nodes = {"tasks": SPREAD, "path": "*.Node"}
        steps: list[Statement] = [
            {"tasks": running, "within": "60s"},
            {"inspect": {**nodes, "value": {"contains": worker}}},
            {"do": {"drain": worker}},
            {"inspect": {**nodes, "value": {"lacks": worker}}, "within": "120s"},
            {"tasks": running, "within": "120s"},
        ]
        yield {"title": f"the tasks of {worker} move to other nodes when it is drained", "steps": steps}


def _outside(subject: Subject) -> Iterator[Statement]:
    if subject.outside:
        inside = [probe(node) for node in subject.nodes]
        yield {
            "title": f"containers of every node reach {subject.outside}",
            "http": {"in": inside, "url": subject.outside},
        }


_NO_EXPORT = "the inventory has no writable NFS export for two nodes"
PROPERTIES: Mapping[str, Property] = {
    one.name: one
    for one in (
        Property("managers", "the managers' port, TCP 2377, from every node", _managers, stands=()),
        Property("gossip", "the gossip port, TCP 7946, between all nodes", _gossip, stands=()),
        Property("news", "new names arrive within seconds: UDP 7946", _news, quick=False),
        Property(
            "names",
            "names on an overlay network",
            _overlay("name", "on an overlay network every node finds every other by its name"),
        ),
        Property(
            "ping",
            "small packets on an overlay network",
            _overlay("ping", "on an overlay network every node reaches every other (VXLAN, UDP 4789)"),
        ),
        Property(
            "packets",
            "packets of full size on an overlay network",
            _overlay("packets", "full-size packets pass unfragmented from every node to every other"),
        ),
        Property(
            "udp",
            "UDP on an overlay network, in small packets: those of full size are UDP, too",
            _overlay("udp", "UDP passes from every node to every other"),
            quick=False,
        ),
        Property(
            "tcp",
            "TCP on an overlay network",
            _overlay("tcp", "TCP connects from every node to every other", port=80),
        ),
        Property("throughput", "downloads over an overlay network, with a floor: --floor", _throughput),
        Property("encrypted", "an encrypted overlay network", _encrypted, quick=False, stands=("sealed",)),
        Property("published", "ports published by containers, from every host", published),
        Property("ingress", "a port published by a service, on every node", ingress, stands=(WEB,)),
        Property(
            "host-mode",
            "a port that a service publishes with mode: host, on every node that takes tasks",
            host_mode,
            quick=False,
            stands=(EACH,),
            lacks="it needs a node that takes tasks, and another host",
        ),
        Property("virtual", "virtual addresses and round robin", _virtual, stands=("probe", PAIR)),
        Property(
            "isolation",
            "networks are apart from each other, with controls",
            _isolation,
            quick=False,
            stands=("probe", "apart"),
        ),
        Property(
            "shares",
            "each NFS export of the inventory: written on one node, read on all",
            shares,
            stands=("shares",),
            lacks=_NO_EXPORT,
        ),
        *(
            Property(name, summary, of, quick=False, stands=("shares",), lacks=_NO_EXPORT)
            for name, summary, of in (
                ("renames", "each of these exports: a file replaced by renaming, from every node to all", renames),
                ("locks", "each of these exports: locks between nodes", locks),
                ("listings", "each of these exports: a large directory, listed on every node", listings),
                ("permissions", "each of these exports: owner, mode and private files on every node", permissions),
            )
        ),
        Property(
            "mounts",
            "every other NFS export, of the inventory or of a volume of the cluster: mounted and read on all nodes",
            mounts,
            stands=("mounts",),
            lacks="there is no other NFS export that a volume of the cluster mounts",
            surveyed=True,
        ),
        Property(
            "registry",
            "the registries that services use answer every node, as at the beginning of a pull",
            _registries,
            stands=(),
            lacks="no service of the Swarm has an image from a registry",
            surveyed=True,
        ),
        Property("start", "how long a task of a service takes to start", _start, quick=False, stands=(EACH,)),
        Property(
            "drain",
            "the test's own tasks on one idle worker move when it is drained, with allow_actions alone",
            _drain,
            quick=False,
            stands=(SPREAD,),
            lacks="it takes `allow_actions: true` in the inventory, and a worker without any task",
            surveyed=True,
        ),
        Property(
            "outside", "a page outside the cluster, with --outside URL", _outside, lacks="--outside was not given"
        ),
    )
}
"""Every property by name, in the order in which they are shown."""

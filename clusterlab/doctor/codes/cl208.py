"""CL208: a dead entry of a node that joined again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found, answers
from clusterlab.doctor.finding import Fix, Seen, Severity, listed
from clusterlab.doctor.node import Node
from clusterlab.doctor.sections import CLOCK, KERNEL

_FRESH = 3600.0  # seconds


def _find(cluster: Cluster) -> Found:
    nodes = cluster.nodes()
    ready = [node for node in nodes if node.state == "ready"]
    for node in nodes:
        if node.state != "down":
            continue
        twin = next((one for one in ready if one.hostname == node.hostname), None)
        if twin is None:
            continue
        demote = [Fix("", f"docker node demote {node.id}")] if node.manager else []
        yield CODE.finding(
            node.id,
            f"{node.hostname} is in the Swarm twice: {twin.id} is ready, {node.id} is down",
            [Seen(cluster.manager.name, "docker node ls", "one entry", f"{node.id} down, {twin.id} ready")],
            [*demote, Fix("", f"docker node rm {node.id}")],
            severity=_severity(cluster, node),
            hosts=[cluster.name_of(node.id)],
            consequences=("CL203",),
        )
    clones = list(_shared({host.name: host.node for host in cluster.members()}))
    for identity, names in clones:
        yield CODE.finding(
            " ".join(names),
            f"{listed(names)} have one node ID: the Swarm takes them for one node",
            [Seen(name, "docker info -f '{{.Swarm.NodeID}}'", "unique", identity) for name in names],
            [Fix(name, "docker swarm leave --force, then docker swarm join") for name in names[1:]],
            hosts=names,
            consequences=("CL208", "CL306", "CL304", "CL313"),
        )
    twins, missing = answers(cluster.hosts.values(), lambda host: host.read(KERNEL).machine_id)
    yield from missing
    for identity, names in _shared(twins):
        if any(set(names) <= set(others) for _, others in clones):
            continue  # the same copy, found above
        yield CODE.finding(
            " ".join(names),
            f"{listed(names)} have one machine ID: they are copies of one disk",
            [Seen(name, "cat /etc/machine-id", "unique", identity) for name in names],
            [Fix(name, "rm /etc/machine-id; systemd-machine-id-setup; reboot") for name in names[1:]],
            severity=Severity.WARNING,
            hosts=names,
        )


def _shared(identities: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """What several hosts have for their identity, with their names."""
    for identity in sorted({one for one in identities.values() if one}):
        names = [name for name, one in identities.items() if one == identity]
        if len(names) > 1:
            yield identity, names


def _severity(cluster: Cluster, dead: Node) -> Severity:
    """Of a dead entry: one of a manager counts for the quorum, a fresh one may be of somebody at work."""
    if dead.manager:
        return Severity.ERROR
    if dead.changed is None:
        return Severity.WARNING
    age = cluster.manager.read(CLOCK) - dead.changed
    return Severity.ADVICE if age < _FRESH else Severity.WARNING


CODE = Diagnosis(
    code="CL208",
    title="A node is in the Swarm twice, or two hosts are copies of one",
    severity=Severity.ERROR,
    effect="A dead entry of a manager counts for the quorum. Copies of one disk share what should be unique: "
    "addresses by DHCP, MACs of overlays, node IDs.",
    detection="Nodes with one host name of which one is down; node IDs and machine IDs of all hosts.",
    guard="A worker's entry that went down less than an hour ago is advice.",
    remedy="Remove the dead entry; give copies an ID of their own.",
    references=("https://github.com/moby/moby/issues/46167",),
    root=4,
    needs_swarm=True,
    cluster=_find,
)

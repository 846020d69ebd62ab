"""CL208: a dead entry of a node that joined again."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found, answers
from clusterlab.doctor.finding import Fix, Seen, Severity, listed
from clusterlab.doctor.sections import KERNEL


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
            severity=Severity.ERROR if node.manager else Severity.WARNING,
        )
    twins, missing = answers(cluster.hosts.values(), lambda host: host.read(KERNEL).machine_id)
    yield from missing
    for identity in sorted({one for one in twins.values() if one and list(twins.values()).count(one) > 1}):
        names = [name for name, one in twins.items() if one == identity]
        yield CODE.finding(
            " ".join(names),
            f"{listed(names)} have one machine ID: they are copies of one disk",
            [Seen(name, "cat /etc/machine-id", "unique", identity) for name in names],
            [Fix(name, "rm /etc/machine-id; systemd-machine-id-setup; reboot") for name in names[1:]],
            severity=Severity.WARNING,
            hosts=names,
        )


CODE = Diagnosis(
    code="CL208",
    title="A node is in the Swarm twice, or two hosts are copies of one",
    severity=Severity.ERROR,
    effect="A dead entry of a manager counts for the quorum. Copies of one disk share what should be unique: "
    "addresses by DHCP, MACs of overlays, node IDs.",
    detection="Nodes with one host name of which one is down; machine IDs of all hosts.",
    remedy="Remove the dead entry; give copies an ID of their own.",
    references=("https://github.com/moby/moby/issues/46167",),
    needs_swarm=True,
    cluster=_find,
)

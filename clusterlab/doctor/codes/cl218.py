"""CL218: a node that the managers see as down, though its engine answers."""

from __future__ import annotations

from clusterlab.checks.preconditions import NodeAvailable
from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.facts import facts_of
from clusterlab.doctor.finding import Fix, Seen, Severity


def _find(cluster: Cluster) -> Found:
    manager = cluster.manager
    nodes, facts = {node.id: node for node in cluster.nodes()}, facts_of(cluster)
    for host in cluster.members():
        node = nodes.get(host.node)
        if node is not None and node.state == "ready":
            continue
        address = node.address if node else host.address
        failure = NodeAvailable(host.name, address, (manager.name,), "", "active").failure(facts)
        if failure is None or failure.cause.code not in CODE.causes:
            continue
        yield CODE.finding(
            host.name,
            f"{host.name}: {failure.cause.summary}, though its engine answers and is in the Swarm",
            [
                Seen(manager.name, "docker node ls", "ready", node.state if node else "no such node"),
                Seen(host.name, "docker info -f '{{.Swarm.LocalNodeState}}'", "active", "active"),
            ],
            [
                Fix(host.name, "journalctl -u docker -n 50 says what keeps it from the managers"),
                Fix(host.name, "systemctl restart docker"),
            ]
            if node
            else [Fix(host.name, "docker swarm leave, then docker swarm join with a token of a manager")],
            hosts=[host.name],
        )


CODE = Diagnosis(
    code="CL218",
    title="The managers do not see a node that is in the Swarm",
    severity=Severity.ERROR,
    effect="Its tasks were moved to other nodes, or wait; the containers that still run there are unknown to the "
    "managers.",
    detection="The state of each node by the managers, against what its own engine says.",
    guard="A blocked port (CL306), a wrong address (CL204), an expired certificate (CL206) and a clock that is wrong "
    "(CL104) explain it.",
    remedy="Make the managers reachable for it; restart its engine. A node that was removed joins again.",
    causes=("node-down", "node-missing"),
    passing=True,
    needs_swarm=True,
    cluster=_find,
)

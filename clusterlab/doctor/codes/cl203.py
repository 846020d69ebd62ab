"""CL203: a manager that its peers do not reach."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity


def _find(cluster: Cluster) -> Found:
    for node in cluster.nodes():
        if not node.manager or node.reachability == "reachable":
            continue
        name = cluster.name_of(node.id)
        yield CODE.finding(
            name,
            f"manager {name} is {node.reachability or 'not reachable'} for the other managers",
            [Seen(cluster.manager.name, "docker node ls", "reachable", node.reachability or "unknown")],
            [
                Fix(name, "systemctl start docker; journalctl -u docker"),
                Fix("", f"if it is gone for good: docker node demote {name}; docker node rm {name}"),
            ],
            hosts=[name],
        )


CODE = Diagnosis(
    code="CL203",
    title="A manager is not reachable",
    severity=Severity.ERROR,
    effect="The Swarm has less in reserve: when too few managers remain, nothing can be changed.",
    detection="`ManagerStatus.Reachability` of the nodes.",
    guard="A host that does not answer is CL100, which explains it.",
    remedy="Start it again, or demote and remove it.",
    passing=True,
    needs_swarm=True,
    cluster=_find,
)

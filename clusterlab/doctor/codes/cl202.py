"""CL202: an even number of managers, or one."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity


def _find(cluster: Cluster) -> Found:
    managers = [node for node in cluster.nodes() if node.manager]
    number = len(managers)
    if number % 2 and number > 1:
        return
    names = ", ".join(cluster.name_of(node.id) for node in managers)
    one = number == 1
    if one and len(cluster.nodes()) < 3:
        return  # with fewer than three nodes no number of managers survives the loss of one
    cause = (
        "there is one manager: without it nothing in the Swarm can be changed"
        if one
        else (f"there are {number} managers: losing {number // 2} stops the Swarm, as with {number - 1}")
    )
    yield CODE.finding(
        "swarm",
        cause,
        [Seen(cluster.manager.name, "docker node ls", "3, 5 or 7 managers", f"{number}: {names}")],
        [Fix("", "docker node promote NODE" if one else "docker node promote NODE, or docker node demote NODE")],
        severity=Severity.ADVICE if one else Severity.WARNING,
    )


CODE = Diagnosis(
    code="CL202",
    title="The number of managers is even, or one",
    severity=Severity.WARNING,
    effect="A majority of managers must answer. An even number survives no more losses than one manager fewer, and "
    "has one more that can fail.",
    detection="The nodes with a manager's role.",
    guard="A single manager is not reported with fewer than three nodes; with more it is advice.",
    remedy="Have 3, 5 or 7 managers.",
    needs_swarm=True,
    cluster=_find,
)

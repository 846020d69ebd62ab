"""CL210: a node that is drained or paused."""

from __future__ import annotations

from clusterlab.checks.preconditions import NodeAvailable
from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.facts import facts_of
from clusterlab.doctor.finding import Fix, Seen, Severity


def _find(cluster: Cluster) -> Found:
    pinned = {
        text.partition("==")[2].strip(): service.text("Spec", "Name")
        for service in cluster.services()
        for text in service.words("Spec", "TaskTemplate", "Placement", "Constraints")
        if text.replace(" ", "").startswith("node.hostname==")
    }
    facts, manager = facts_of(cluster), cluster.manager.name
    for node in cluster.nodes():
        # Hosts that were not examined are judged by what the managers say alone.
        host = cluster.host_of(node.id) or cluster.manager
        failure = NodeAvailable(host.name, node.address, (manager,), "", "active").failure(facts)
        if failure is None or failure.cause.code not in CODE.causes:
            continue
        name = cluster.name_of(node.id)
        service = pinned.get(node.hostname)
        needs = f", and service {service} may run there only" if service else ""
        yield CODE.finding(
            name,
            f"{name}: {failure.cause.summary}{needs}",
            [Seen(cluster.manager.name, "docker node ls", "active", node.availability)],
            [Fix("", f"docker node update --availability active {node.hostname}")],
            severity=Severity.WARNING if service else Severity.ADVICE,
            hosts=[name],
        )


CODE = Diagnosis(
    code="CL210",
    title="A node is drained or paused",
    severity=Severity.WARNING,
    effect="It gets no tasks: forgotten after maintenance, the others carry its load.",
    detection="`Spec.Availability` of the nodes; a warning when a service is bound to the node by its host name.",
    guard="Intended: mute it.",
    remedy="Make it active again.",
    causes=("node-drained", "node-paused"),
    needs_swarm=True,
    cluster=_find,
)

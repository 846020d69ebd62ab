"""CL100: a host or its engine does not answer."""

from __future__ import annotations

from clusterlab.checks.preconditions import EngineAnswers, HostReachable
from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.facts import facts_of
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity


def _find(cluster: Cluster) -> Found:
    facts = facts_of(cluster)
    for host in cluster.hosts.values():
        failure = (EngineAnswers if host.answers.engine else HostReachable)(host.name).failure(facts)
        if failure is None:
            continue
        cause = failure.cause
        asked = "ssh" if cause.code == "host-unreachable" else "docker info"
        remedy = Fix("", cause.remedy) if cause.code == "host-unreachable" else _engine(host.name, cause.code)
        yield CODE.finding(
            host.name,
            f"{host.name}: {cause.summary}",
            [Seen(host.name, asked, "an answer", cause.summary)],
            [remedy],
            hosts=[host.name],
            consequences=("CL203", "CL208", "CL217", "CL305", "CL306", "CL403"),
        )
    known = cluster.answering()
    if not any(host.manages for host in known):
        return
    try:
        nodes = cluster.nodes()
    except NotSeen:
        return  # the managers' silence is a code of its own
    for node in nodes:
        expected = any(host.answers.address == node.address for host in cluster.hosts.values())
        if cluster.host_of(node.id) is None and not expected and node.state == "ready":
            yield NotSeen(
                node.hostname,
                f"this node of the Swarm (at {node.address}) was not examined",
                f"Make `ssh {node.hostname}` or `ssh {node.address}` work, or add the host to the inventory.",
            )


def _engine(host: str, code: str) -> Fix:
    return Fix(host, "journalctl -u docker -n 50" if code == "engine-silent" else "systemctl start docker")


CODE = Diagnosis(
    code="CL100",
    title="A host or its engine does not answer",
    severity=Severity.ERROR,
    effect="Tasks of that node move to others, or wait; what else is wrong there cannot be seen.",
    detection="A command over SSH, and the engine's /info; nodes that the managers list and that were not examined are "
    "unknown.",
    remedy="Start the engine, or make the host reachable over SSH.",
    causes=("host-unreachable", "engine-down", "engine-silent"),
    root=1,
    cluster=_find,
)

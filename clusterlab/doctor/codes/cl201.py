"""CL201: a Swarm without a majority of managers."""

from __future__ import annotations

from clusterlab.checks.preconditions import ManagerAnswers
from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.facts import facts_of
from clusterlab.doctor.finding import Fix, Seen, Severity, listed


def _find(cluster: Cluster) -> Found:
    managers = [host for host in cluster.answering() if host.manages or "nodes" in host.answers.refused]
    if not managers:
        return
    if any("nodes" in host.answers.api for host in managers):
        cluster.nodes()  # raises when what a manager answered cannot be read
        return
    failure = ManagerAnswers(tuple(host.name for host in managers)).failure(facts_of(cluster))
    if failure is None or failure.cause.code != "swarm-no-leader":
        return
    names = [host.name for host in managers]
    first = managers[0]
    yield CODE.finding(
        "swarm",
        f"the Swarm has no leader: {listed(names)} cannot find a majority of managers",
        [Seen(host.name, "docker node ls", "the nodes", host.answers.refused.get("nodes", "")) for host in managers],
        [
            Fix("", "start the other managers"),
            Fix(
                first.name,
                f"if they are gone for good: docker swarm init --force-new-cluster --advertise-addr {first.address}",
            ),
        ],
        hosts=names,
        consequences=("CL203",),
    )


CODE = Diagnosis(
    code="CL201",
    title="The Swarm has no leader",
    severity=Severity.ERROR,
    effect="Running tasks stay, and nothing can be changed, moved or restarted.",
    detection="A manager answers its own questions and refuses those on the Swarm.",
    guard="An election takes seconds, so this is checked twice.",
    remedy="Start the missing managers; when they are gone for good, start again from one that remains.",
    causes=("swarm-no-leader",),
    root=2,
    passing=True,
    needs_swarm=True,
    cluster=_find,
)

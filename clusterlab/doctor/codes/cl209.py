"""CL209: hosts in different Swarms, or in none."""

from __future__ import annotations

from collections import defaultdict

from clusterlab.checks.preconditions import InSwarm
from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found, answers
from clusterlab.doctor.facts import facts_of
from clusterlab.doctor.finding import Fix, Seen, Severity, listed
from clusterlab.doctor.sections import CERTIFICATE


def _find(cluster: Cluster) -> Found:
    yield from _outside(cluster)
    certificates, missing = answers(cluster.members(), lambda host: host.read(CERTIFICATE))
    yield from missing
    swarms: dict[str, list[str]] = defaultdict(list)
    for name, certificate in certificates.items():
        if certificate is not None:
            swarms[certificate.swarm].append(name)
    if len(swarms) < 2:
        return
    parts = sorted(swarms.items(), key=lambda item: (-len(item[1]), item[0]))
    shown = "; ".join(f"{listed(names)} in {swarm}" for swarm, names in parts)
    odd = [name for _, names in parts[1:] for name in names]
    yield CODE.finding(
        listed(odd),
        f"the hosts are in {len(swarms)} Swarms: {shown}",
        [
            Seen(name, "docker info -f '{{.Swarm.Cluster.ID}}'", parts[0][0], swarm)
            for swarm, names in parts
            for name in names
        ],
        [Fix(name, "docker swarm leave --force, then docker swarm join to the right one") for name in odd],
        hosts=odd,
        consequences=("CL306", "CL305", "CL303", "CL218"),
    )


def _outside(cluster: Cluster) -> Found:
    """Hosts that the inventory has in the Swarm, and that are in none."""
    facts = facts_of(cluster)
    for host in cluster.answering():
        if not host.answers.swarm or host.info.text("Swarm", "LocalNodeState", default="") not in ("", "inactive"):
            continue  # what else it may be has codes of its own
        failure = InSwarm(host.name).failure(facts)
        if failure is None or failure.cause.code not in CODE.causes:
            continue
        yield CODE.finding(
            host.name,
            f"{host.name} is in no Swarm, and its inventory has it in one: {failure.cause.summary}",
            [Seen(host.name, "docker info -f '{{.Swarm.LocalNodeState}}'", "active", "inactive")],
            [
                Fix("", "on a manager: docker swarm join-token worker (or manager)"),
                Fix(host.name, "docker swarm join with that token, or clusterlab provision"),
            ],
            hosts=[host.name],
            consequences=("CL208", "CL218"),
        )


CODE = Diagnosis(
    code="CL209",
    title="The hosts are not in one Swarm",
    severity=Severity.ERROR,
    effect="A host that was initialised in place of joined, or left and began its own Swarm, takes no tasks of the "
    "other. One that left runs none at all.",
    detection="The Swarm's ID in the certificate of each node; with an inventory, hosts that it has in the Swarm and "
    "whose engines are in none.",
    guard="Two Swarms on purpose: name the hosts of one.",
    remedy="Leave, and join the right one.",
    causes=("swarm-inactive",),
    root=3,
    needs_swarm=True,
    cluster=_find,
)

"""CL209: hosts in different Swarms."""

from __future__ import annotations

from collections import defaultdict

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found, answers
from clusterlab.doctor.finding import Fix, Seen, Severity, listed
from clusterlab.doctor.sections import CERTIFICATE


def _find(cluster: Cluster) -> Found:
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
        consequences=("CL306", "CL305", "CL303"),
    )


CODE = Diagnosis(
    code="CL209",
    title="The hosts are in different Swarms",
    severity=Severity.ERROR,
    effect="A host that was initialised in place of joined, or left and began its own Swarm, takes no tasks of the "
    "other.",
    detection="The Swarm's ID in the certificate of each node.",
    guard="Two Swarms on purpose: name the hosts of one.",
    remedy="Leave, and join the right one.",
    root=3,
    needs_swarm=True,
    cluster=_find,
)

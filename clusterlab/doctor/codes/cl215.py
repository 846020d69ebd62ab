"""CL215: an image that is missing."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Severity, listed
from clusterlab.doctor.tasks import unsolved

_TEXTS = ("no such image", "pull access denied", "manifest unknown", "manifest for", "not found: manifest")


def _find(cluster: Cluster) -> Found:
    for service, failures in unsolved(cluster, *_TEXTS):
        image = failures[0].image.partition("@")[0]
        hosts = {one.host for one in failures}
        yield CODE.finding(
            service,
            f"service {service}: {listed(hosts)} cannot get the image {image}",
            [one.seen(cluster.manager.name) for one in failures[:5]],
            [
                Fix("", f"push {image} to a registry that every node reaches"),
                Fix(
                    "", f"for a private registry: docker service update --with-registry-auth --image {image} {service}"
                ),
            ],
            consequences=("CL213", "CL214"),
        )


CODE = Diagnosis(
    code="CL215",
    title="A node cannot get an image",
    severity=Severity.ERROR,
    effect="Tasks are rejected on some nodes and run on those that have the image: built on one node, or a registry "
    "that wants a password.",
    detection="Failed tasks of the last ten minutes with the engine's message for it.",
    guard="Once a task of the slot runs, nothing is reported.",
    remedy="Push the image; pass the registry's credentials with the service.",
    root=8,
    needs_swarm=True,
    cluster=_find,
)

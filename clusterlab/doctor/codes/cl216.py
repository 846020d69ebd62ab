"""CL216: one tag, different images."""

from __future__ import annotations

from collections import defaultdict

from clusterlab.docker_labels import SERVICE
from clusterlab.doctor.cluster import Cluster, once
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity
from clusterlab.doctor.host_view import container_name

Kind = tuple[str, str]
"""Of an image's ID: the store, and the platform."""


def _find(cluster: Cluster) -> Found:
    for (service, tag), kinds in _running(cluster).items():
        fix = f"docker service update --image {tag}@sha256:DIGEST {service}"
        different = [found for found in kinds.values() if len(found) > 1]
        if different:
            yield CODE.finding(
                service,
                f"service {service}: its tasks run {max(map(len, different))} different images, all called {tag}",
                [one for found in different for places in found.values() for one in places],
                [Fix("", fix)],
            )
        elif len(kinds) > 1 and not _one_digest(cluster, [image for found in kinds.values() for image in found]):
            yield NotSeen(
                "swarm",
                f"service {service}: its nodes have different image stores or platforms, whose IDs cannot be compared, "
                f"and no digest that they share shows that {tag} is one image",
                fix,
            )


def _running(cluster: Cluster) -> dict[tuple[str, str], dict[Kind, dict[str, list[Seen]]]]:
    """Where each image runs, by service and tag, kind and ID, of services whose image has no digest."""
    pinned = {
        service.text("Spec", "Name")
        for service in cluster.services()
        if "@sha256:" in service.text("Spec", "TaskTemplate", "ContainerSpec", "Image", default="")
    }
    found: dict[tuple[str, str], dict[Kind, dict[str, list[Seen]]]] = {}
    for host in cluster.members():
        for container in host.running():
            service = container.texts("Labels").get(SERVICE, "")
            tag = container.text("Image").partition("@")[0]
            if service and service not in pinned and not tag.startswith("sha256:"):
                image = container.text("ImageID")
                kinds = found.setdefault((service, tag), {})
                places = kinds.setdefault(host.image_kind, {}).setdefault(image, [])
                places.append(
                    Seen(host.name, "docker ps", "one image", f"{container_name(container)} runs {image[:19]}")
                )
    return found


def _one_digest(cluster: Cluster, images: list[str]) -> bool:
    """Whether these images, of different kinds, were pulled as one.

    Other digests prove nothing: a list of platforms that was pushed again may have the same image in it.
    """
    return bool(set.intersection(*(_digests(cluster).get(image, set()) for image in images)))


@once
def _digests(cluster: Cluster) -> dict[str, set[str]]:
    """By which digests images were pulled, by ID, as far as nodes were asked."""
    found: dict[str, set[str]] = defaultdict(set)
    for host in cluster.members():
        for image in host.api("images").items() if "images" in host.answers.api else ():
            digests = {one.partition("@")[2] for one in image.words("RepoDigests")}
            found[image.text("Id")] |= {one for one in digests if one.startswith("sha256:")}
    return found


CODE = Diagnosis(
    code="CL216",
    title="One tag, different images",
    severity=Severity.WARNING,
    effect="Tasks of one service behave differently from node to node: the tag was pushed again, or built on each "
    "node.",
    detection="Images of running tasks of services whose image has no digest.",
    guard="Images in different stores (CL102) or of different platforms have different IDs: they are one when they "
    "were pulled by one digest, else it is unknown.",
    remedy="Update the service with a digest.",
    needs_swarm=True,
    cluster=_find,
)

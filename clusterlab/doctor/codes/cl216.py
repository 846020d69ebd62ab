"""CL216: one tag, different images."""

from __future__ import annotations

from collections import defaultdict

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.codes.cl102 import image_store
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity
from clusterlab.doctor.host_view import container_name


def _find(cluster: Cluster) -> Found:
    pinned = {
        service.text("Spec", "Name")
        for service in cluster.services()
        if "@sha256:" in service.text("Spec", "TaskTemplate", "ContainerSpec", "Image", default="")
    }
    images: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    stores: dict[str, set[str]] = defaultdict(set)
    for host in cluster.members():
        for container in host.running():
            service = container.texts("Labels").get("com.docker.swarm.service.name", "")
            tag = container.text("Image").partition("@")[0]
            if service and service not in pinned and not tag.startswith("sha256:"):
                stores[service].add(image_store(host.info.text("Driver", default="")))
                images[service, tag][container.text("ImageID")].add(f"{host.name}: {container_name(container)}")
    for (service, tag), found in images.items():
        if len(stores[service]) > 1:
            yield NotSeen(
                "swarm",
                f"service {service}: its nodes keep images in different stores, whose IDs cannot be compared",
                f"docker service update --image {tag}@sha256:DIGEST {service}",
            )
        elif len(found) > 1:
            yield CODE.finding(
                service,
                f"service {service}: its tasks run {len(found)} different images, all called {tag}",
                [
                    Seen(
                        at.partition(":")[0], "docker ps", "one image", f"{at.partition(': ')[2]} runs {identity[:19]}"
                    )
                    for identity, places in found.items()
                    for at in sorted(places)
                ],
                [Fix("", f"docker service update --image {tag}@sha256:DIGEST {service}")],
            )


CODE = Diagnosis(
    code="CL216",
    title="One tag, different images",
    severity=Severity.WARNING,
    effect="Tasks of one service behave differently from node to node: the tag was pushed again, or built on each "
    "node.",
    detection="Images of running tasks of services whose image has no digest.",
    guard="Images in different stores (CL102) cannot be compared: then it is unknown.",
    remedy="Update the service with a digest.",
    needs_swarm=True,
    cluster=_find,
)

"""CL217: containers that the Swarm does not know."""

from __future__ import annotations

from clusterlab.docker_labels import TASK_ID
from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView, container_name
from clusterlab.doctor.sections import CLOCK

_YOUNG = 300.0


def _find(host: HostView, cluster: Cluster) -> Found:
    if not host.active:
        return
    known = {task.text("ID") for task in cluster.tasks()}
    now = host.read(CLOCK)
    for container in host.running():
        task = container.texts("Labels").get(TASK_ID, "")
        if task and task not in known and now - container.number("Created") > _YOUNG:
            name = container_name(container)
            yield CODE.finding(
                f"{host.name} {name}",
                f"{host.name}: {name} runs for a task that the Swarm no longer has",
                [Seen(host.name, "docker ps", "a task of the Swarm", f"{name}, task {task}")],
                [Fix(host.name, f"docker rm -f {name}")],
                hosts=[host.name],
            )


CODE = Diagnosis(
    code="CL217",
    title="A container runs that the Swarm does not know",
    severity=Severity.WARNING,
    effect="It still serves, writes and holds ports, though its service was changed or removed while the node was "
    "cut off.",
    detection="Containers with the label of a task that the managers do not list.",
    guard="Containers younger than five minutes.",
    remedy="Remove the container.",
    passing=True,
    needs_swarm=True,
    host=_find,
)

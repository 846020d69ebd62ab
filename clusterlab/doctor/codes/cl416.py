"""CL416: anonymous volumes that pile up."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView

_MANY = 20
_LABEL = "com.docker.volume.anonymous"


def _find(host: HostView, cluster: Cluster) -> Found:
    used = {mount.text("Name", default="") for one in host.containers() for mount in one.items("Mounts")}
    volumes = host.api("volumes").items("Volumes")
    unused = [one.text("Name") for one in volumes if _LABEL in one.texts("Labels") and one.text("Name") not in used]
    if len(unused) > _MANY:
        yield CODE.finding(
            host.name,
            f"{host.name}: {len(unused)} anonymous volumes that no container uses",
            [Seen(host.name, "docker volume ls -f dangling=true", f"at most {_MANY}", str(len(unused)))],
            [Fix(host.name, "docker volume prune, which removes anonymous volumes without a container")],
            hosts=[host.name],
        )


CODE = Diagnosis(
    code="CL416",
    title="Anonymous volumes pile up",
    severity=Severity.ADVICE,
    effect="Images with VOLUME leave one behind for each container that was removed without -v.",
    detection="Volumes with the engine's label for it that no container mounts, more than twenty.",
    remedy="Prune them; name the volumes of the containers.",
    host=_find,
)

"""CL414: a database on NFS."""

from __future__ import annotations

import re

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView, container_name

_IMAGES = re.compile(
    r"(^|/)(postgres|postgis|mysql|mariadb|percona|mongo|timescaledb|clickhouse-server|influxdb)(:|@|$)"
)


def _find(host: HostView, cluster: Cluster) -> Found:
    for container in host.running():
        image = container.text("Image", default="")
        if not _IMAGES.search(image):
            continue
        for mount in container.items("Mounts"):
            volume = host.volumes.get(mount.text("Name", default=""))
            if volume is None or not volume.is_nfs or not mount.flag("RW"):
                continue
            if "backup" in mount.text("Destination", default=""):
                continue
            old = any(one in ("soft", "nolock", "nfsvers=3", "vers=3") for one in volume.words)
            name = container_name(container)
            yield CODE.finding(
                f"{host.name} {name}",
                f"{host.name}: {name} ({image}) keeps its database on NFS (volume {volume.name})",
                [Seen(host.name, f"docker volume inspect {volume.name}", "a local volume", str(volume))],
                [Fix("", "use a local volume, and bind the service to its node with a constraint")],
                severity=Severity.WARNING if old else Severity.ADVICE,
                hosts=[host.name],
            )


CODE = Diagnosis(
    code="CL414",
    title="A database on NFS",
    severity=Severity.WARNING,
    effect="Databases rely on locks and flushes that NFS gives only with care; a failover can damage the data.",
    detection="Containers with the image of a known database that write a volume of type nfs; a warning with soft, "
    "nolock or version 3.",
    guard="Paths for backups.",
    remedy="Use a local disk.",
    host=_find,
)

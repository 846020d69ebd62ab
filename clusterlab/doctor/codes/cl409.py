"""CL409: an NFS version other than the one asked for."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import MOUNTS


def _find(host: HostView, cluster: Cluster) -> Found:
    volumes = host.volumes
    for mount in host.read(MOUNTS):
        parts = mount.point.split("/")
        name = parts[-2] if mount.is_nfs and parts[-1] == "_data" and len(parts) > 2 else ""
        volume = volumes.get(name)
        if volume is None:
            continue
        wanted = next((one.partition("=")[2] for one in volume.words if one.startswith(("nfsvers=", "vers="))), "")
        found = mount.option("vers")
        if wanted and found and not (found == wanted or found.startswith(f"{wanted}.")):
            yield CODE.finding(
                f"{host.name} {name}",
                f"{host.name}: volume {name} is mounted with NFS {found}, not {wanted}",
                [Seen(host.name, f"findmnt {mount.point}", f"vers={wanted}", f"vers={found}")],
                [Fix("", f"switch version {wanted} on at the server, then recreate the containers with {name}")],
                hosts=[host.name],
            )


CODE = Diagnosis(
    code="CL409",
    title="NFS is mounted with another version",
    severity=Severity.WARNING,
    effect="Locks and permissions work differently from what was intended, and perhaps from the other nodes.",
    detection="`vers=` of the mounts of volumes against their options.",
    guard="Volumes that name no version (CL402).",
    remedy="Switch the version on at the server.",
    host=_find,
)

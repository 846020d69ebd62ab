"""CL409: an NFS version other than the one asked for."""

from __future__ import annotations

from collections import defaultdict

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity
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


def _differs(cluster: Cluster) -> Found:
    """Volumes that leave the version to client and server, and have another one on some node."""
    found: dict[str, dict[str, str]] = defaultdict(dict)  # by volume and host
    for host in cluster.answering():
        try:
            for volume in host.volumes.values():
                if not volume.is_nfs or any(one.startswith(("nfsvers=", "vers=")) for one in volume.words):
                    continue
                for mount in host.read(MOUNTS):
                    if mount.is_nfs and mount.option("vers") and mount.point.endswith(f"/volumes/{volume.name}/_data"):
                        found[volume.name][host.name] = mount.option("vers")
        except NotSeen as error:
            yield error
    for name, mounted in found.items():
        if len(set(mounted.values())) > 1:
            shown = ", ".join(f"{version} on {host}" for host, version in mounted.items())
            yield CODE.finding(
                name,
                f"volume {name} is mounted with different versions of NFS: {shown}",
                [Seen(host, "findmnt -t nfs,nfs4", "one version", f"vers={one}") for host, one in mounted.items()],
                [Fix("", f"recreate {name} with nfsvers=4.2 among its options, on every node")],
                hosts=list(mounted),
            )


CODE = Diagnosis(
    code="CL409",
    title="NFS is mounted with another version",
    severity=Severity.WARNING,
    effect="Locks and permissions work differently from what was intended, and perhaps from the other nodes.",
    detection="`vers=` of the mounts of volumes against their options; of volumes that "
    "name no version, `vers=` on one node against the others.",
    guard="Volumes that name no version (CL402) and have the same everywhere.",
    remedy="Name the version, and switch the version on at the server.",
    cluster=_differs,
    host=_find,
)

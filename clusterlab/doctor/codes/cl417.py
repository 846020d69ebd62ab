"""CL417: an NFS volume whose options are not valid."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Severity
from clusterlab.doctor.mounts import failed_mounts


def _find(cluster: Cluster) -> Found:
    volume = "docker volume create -o type=nfs -o o=addr=ADDRESS,nfsvers=4.2 -o device=:/path NAME"
    return failed_mounts(CODE, cluster, "invalid argument", fix=f"recreate the volume: {volume}")


CODE = Diagnosis(
    code="CL417",
    title="The options of an NFS volume are not valid",
    severity=Severity.ERROR,
    effect="No container with the volume starts: the device has no colon, the address is missing, or it is a name "
    "with type nfs4, which the engine does not resolve.",
    detection="Failed tasks of the last ten minutes whose error is that of a mount, with this message of the kernel.",
    guard="Once a task of the slot runs, nothing is reported.",
    remedy="Create the volume again with type=nfs, o=addr=ADDRESS and device=:/path.",
    root=8,
    needs_swarm=True,
    cluster=_find,
)

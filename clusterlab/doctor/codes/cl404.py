"""CL404: an export that is refused."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Severity
from clusterlab.doctor.mounts import failed_mounts


def _find(cluster: Cluster) -> Found:
    fix = "on the server: exportfs -v shows what is exported to whom; exportfs -o rw CLIENT:/path adds it"
    return failed_mounts(CODE, cluster, "permission denied", "access denied", fix=fix)


CODE = Diagnosis(
    code="CL404",
    title="An NFS server does not let a node mount an export",
    severity=Severity.ERROR,
    effect="The volume cannot be mounted: the export is not there, not for this client, or the server wants another "
    "port or version.",
    detection="Failed tasks of the last ten minutes whose error is that of a mount, with this message of the kernel.",
    guard="Once a task of the slot runs, nothing is reported.",
    remedy="Export the directory to the node.",
    root=8,
    needs_swarm=True,
    cluster=_find,
)

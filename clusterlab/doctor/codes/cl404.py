"""CL404: an export that is refused."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Severity
from clusterlab.doctor.mounts import EACCES, EPERM, failed_mounts, other_errors, refused_mounts


def _find(cluster: Cluster) -> Found:
    fix = "on the server: exportfs -v shows what is exported to whom; exportfs -o rw CLIENT:/path adds it"
    yield from failed_mounts(CODE, cluster, "permission denied", "access denied", fix=fix)
    yield from refused_mounts(CODE, cluster, EACCES, EPERM, fix=fix)
    yield from other_errors(cluster)


CODE = Diagnosis(
    code="CL404",
    title="An NFS server does not let a node mount an export",
    severity=Severity.ERROR,
    effect="The volume cannot be mounted: the export is not there, not for this client, or the server wants another "
    "port or version.",
    detection="Failed tasks of the last ten minutes whose error is that of a mount, with this message of the kernel. "
    "With --probe, every node mounts its NFS volumes for a moment, read-only and where nobody sees it.",
    guard="Once a task of the slot runs, nothing is reported.",
    remedy="Export the directory to the node.",
    root=8,
    needs_swarm=True,
    cluster=_find,
)

"""CL404: an export that is refused."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Severity
from clusterlab.doctor.mounts import EACCES, EPERM, other_errors, reported


def _find(cluster: Cluster) -> Found:
    fix = "on the server: exportfs -v shows what is exported to whom; exportfs -o rw CLIENT:/path adds it"
    texts = ("permission denied", "access denied")
    yield from reported(CODE, cluster, "not exported", "read-only", texts=texts, errors=(EACCES, EPERM), fix=fix)
    yield from other_errors(cluster)


CODE = Diagnosis(
    code="CL404",
    title="An NFS server does not let a node mount an export",
    severity=Severity.ERROR,
    effect="The volume cannot be mounted: the export is not there, not for this client, or the server wants another "
    "port or version.",
    detection="What the server exports to the node's addresses, where it is one of the hosts: nothing above the "
    "volume's directory, or only read-only while a container may write. Failed tasks of the last ten "
    "minutes whose error is that of a mount, with this message of the kernel. With --probe, every node mounts its NFS "
    "volumes for a moment, read-only and where nobody sees it.",
    guard="Once a task of the slot runs, its failure is not reported. Volumes that nothing uses are advice; exports "
    "to names and netgroups cannot be judged.",
    remedy="Export the directory to the node.",
    root=8,
    needs_swarm=True,
    cluster=_find,
)

"""CL406: a directory that does not exist on the NFS server."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Severity
from clusterlab.doctor.mounts import ENOENT, reported


def _find(cluster: Cluster) -> Found:
    fix = "on the server: mkdir the directory of the volume's device"
    texts = ("no such file or directory",)
    yield from reported(CODE, cluster, "no directory", texts=texts, errors=(ENOENT,), fix=fix)


CODE = Diagnosis(
    code="CL406",
    title="The directory of an NFS volume does not exist",
    severity=Severity.ERROR,
    effect="The volume cannot be mounted: the directory is not on the server. With NFS 4, paths begin at the export "
    "with fsid=0.",
    detection="The directories of volumes on their server, where it is one of the hosts. Failed tasks of the last ten "
    "minutes whose error is that of a mount, with this message of the kernel. With --probe, every node mounts its NFS "
    "volumes for a moment, read-only and where nobody sees it.",
    guard="Once a task of the slot runs, its failure is not reported. Volumes that nothing uses are advice.",
    remedy="Create the directory on the server.",
    root=8,
    needs_swarm=True,
    cluster=_find,
)

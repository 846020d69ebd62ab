"""CL410: an NFS server in its grace period."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import NFS_SERVER


def _find(host: HostView, cluster: Cluster) -> Found:
    server = host.read(NFS_SERVER)
    if server is None or not server.threads or not server.in_grace:
        return
    yield CODE.finding(
        host.name,
        f"NFS server {host.name} is in its grace period: new files are not opened and locks not given",
        [Seen(host.name, "cat /proc/fs/nfsd/v4_end_grace", "Y", "N")],
        [Fix("", "wait, 90 s after its start by default; `gracetime` in nfs.conf shortens it")],
        hosts=[host.name],
    )


CODE = Diagnosis(
    code="CL410",
    title="An NFS server is in its grace period",
    severity=Severity.WARNING,
    effect="After a restart, opens and locks wait until clients had the time to claim theirs again: containers seem "
    "to hang.",
    detection="`v4_end_grace` of the server, where it is one of the hosts.",
    remedy="Wait.",
    host=_find,
    every_host=True,
)

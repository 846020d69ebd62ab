"""CL407: a stale file handle."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Severity, listed
from clusterlab.doctor.mounts import ESTALE, refused_mounts
from clusterlab.doctor.tasks import retry, unsolved


def _find(cluster: Cluster) -> Found:
    for service, failures in unsolved(cluster, "stale file handle", "stale nfs"):
        hosts = {one.host for one in failures}
        yield CODE.finding(
            service,
            f"service {service}: the directory of its volume was removed or replaced on the server ({listed(hosts)})",
            [one.seen(cluster.manager.name) for one in failures[:5]],
            [
                *(
                    Fix(host, "stop what uses the volume, umount it (findmnt -t nfs,nfs4), start it again")
                    for host in sorted(hosts)
                ),
                retry(service),
            ],
            hosts=sorted(hosts),
            consequences=("CL213", "CL214"),
        )
    fix = "stop what uses the volume, umount it (findmnt -t nfs,nfs4), start it again"
    yield from refused_mounts(CODE, cluster, ESTALE, fix=fix)


CODE = Diagnosis(
    code="CL407",
    title="A stale file handle",
    severity=Severity.ERROR,
    effect="The mount points at a directory that the server no longer has: it was removed, restored or moved to "
    "another disk.",
    detection="Failed tasks of the last ten minutes with the kernel's message for it; it touches no path on NFS.",
    remedy="Unmount it where it is still mounted, and mount it again.",
    root=8,
    needs_swarm=True,
    cluster=_find,
)

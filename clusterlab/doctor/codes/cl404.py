"""CL404: an export that is refused."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Severity, listed
from clusterlab.doctor.tasks import retry, unsolved

_TEXTS = ("permission denied", "access denied")


def _find(cluster: Cluster) -> Found:
    for service, failures in unsolved(cluster, *_TEXTS):
        mounts = [one for one in failures if "mount" in one.error.lower() and "addr=" in one.error]
        if not mounts:
            continue
        hosts = {one.host for one in mounts}
        yield CODE.finding(
            service,
            f"service {service}: {listed(hosts)} cannot mount its volume: {mounts[0].error.rpartition(': ')[2]}",
            [one.seen(cluster.manager.name) for one in mounts[:5]],
            [
                Fix(
                    "", "on the server: exportfs -v shows what is exported to whom; exportfs -o rw CLIENT:/path adds it"
                ),
                retry(service),
            ],
            consequences=("CL213", "CL214"),
        )


CODE = Diagnosis(
    code="CL404",
    title="An NFS server does not let a node mount an export",
    severity=Severity.ERROR,
    effect="The volume cannot be mounted: the export is not there, not for this client, or the server wants another "
    "port or version.",
    detection="Failed tasks of the last ten minutes whose error is that of a mount, with these words of the kernel.",
    guard="Once a task of the slot runs, nothing is said.",
    remedy="Export the directory to the node.",
    root=8,
    needs_swarm=True,
    cluster=_find,
)

"""CL406: a directory that does not exist on the NFS server."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Severity, listed
from clusterlab.doctor.tasks import retry, unsolved

_TEXTS = ("no such file or directory",)


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
            [Fix("", "on the server: mkdir the directory of the volume's device"), retry(service)],
            consequences=("CL213", "CL214"),
        )


CODE = Diagnosis(
    code="CL406",
    title="The directory of an NFS volume does not exist",
    severity=Severity.ERROR,
    effect="The volume cannot be mounted: the directory is not on the server. With NFS 4, paths begin at the export "
    "with fsid=0.",
    detection="Failed tasks of the last ten minutes whose error is that of a mount, with these words of the kernel.",
    guard="Once a task of the slot runs, nothing is said.",
    remedy="Make the directory on the server.",
    root=8,
    needs_swarm=True,
    cluster=_find,
)

"""CL407: a stale file handle."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity, listed
from clusterlab.doctor.mounts import ESTALE, refused_mounts
from clusterlab.doctor.sections import HANDLES
from clusterlab.doctor.tasks import retry, unsolved


def _find(cluster: Cluster) -> Found:
    yield from _mounted(cluster)
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


def _mounted(cluster: Cluster) -> Found:
    """Mounts of hosts whose top directory the server no longer has."""
    for host in cluster.hosts.values():
        try:
            handles = host.read(HANDLES)
        except NotSeen as error:
            yield error
            continue
        for point, word in handles.items():
            if word == "stale":
                yield CODE.finding(
                    f"{host.name} {point}",
                    f"{host.name}: what is mounted on {point} was removed or replaced on its server",
                    [Seen(host.name, f"stat {point}", "a directory", "Stale file handle")],
                    [Fix(host.name, f"stop what uses it, umount {point}, start it again")],
                    hosts=[host.name],
                    consequences=("CL407", "CL213", "CL214"),
                )
            elif word != "fine":
                yield NotSeen(host.name, f"{point}: {word}")


CODE = Diagnosis(
    code="CL407",
    title="A stale file handle",
    severity=Severity.ERROR,
    effect="The mount points at a directory that the server no longer has: it was removed, restored or moved to "
    "another disk.",
    detection="`stat` of the top directory of each NFS mount whose server answers; failed tasks of the last ten "
    "minutes with the kernel's message for it.",
    guard="Mounts whose server does not answer are not touched: they are unknown.",
    remedy="Unmount it where it is still mounted, and mount it again.",
    root=8,
    needs_swarm=True,
    cluster=_find,
)

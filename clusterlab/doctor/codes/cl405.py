"""CL405: root_squash meets a container that writes as root."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity, listed
from clusterlab.doctor.sections import NFS_SERVER
from clusterlab.doctor.tasks import retry, unsolved

_TEXTS = ("operation not permitted",)
_OF_VOLUMES = ("addr=", "chown", "chmod", "copy")
"""What the engine does with a new volume: it mounts it, and gives it the files, owner and mode of the image there."""


def _find(cluster: Cluster) -> Found:
    for service, failures in unsolved(cluster, *_TEXTS):
        about = [one for one in failures if any(word in one.error for word in _OF_VOLUMES)]
        if not about:
            continue
        squashed = _squashed(cluster)
        hosts = sorted({one.host for one in about})
        yield CODE.finding(
            service,
            f"service {service}: root of the container may not write to its volume ({listed(hosts)})",
            [*(one.seen(cluster.manager.name) for one in about[:5]), *squashed],
            [
                Fix("", "mount the volume with nocopy, or give the directory to the container's user on the server"),
                retry(service),
            ],
            consequences=("CL213", "CL214"),
        )


def _squashed(cluster: Cluster) -> list[Seen]:
    """The exports of hosts that were asked on which root becomes nobody."""
    found = []
    for host in cluster.hosts.values():
        try:
            server = host.read(NFS_SERVER)
        except NotSeen:
            continue  # it is evidence besides; the tasks' errors are what was found
        exports = server.exports if server else ()
        found += [
            Seen(host.name, "exportfs -v", "", f"{one.path} for {one.client}: root_squash")
            for one in exports
            if "root_squash" in one.options
        ]
    return found


CODE = Diagnosis(
    code="CL405",
    title="root_squash meets a container that writes as root",
    severity=Severity.WARNING,
    effect="The engine cannot copy the image's files into the new volume, or the program cannot write: root becomes "
    "nobody on the server.",
    detection="Failed tasks of the last ten minutes with the kernel's message for it; exports with root_squash, where "
    "the server is one of the hosts.",
    guard="Containers that run as another user.",
    remedy="Mount with nocopy, or give the directory to the user that writes.",
    root=8,
    needs_swarm=True,
    cluster=_find,
)

"""CL102: a storage driver that is slow or gone."""

from __future__ import annotations

from collections import defaultdict

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity, listed
from clusterlab.doctor.host_view import HostView


def _find(host: HostView, cluster: Cluster) -> Found:
    driver = host.info.text("Driver")
    status = {one[0]: one[1] for one in (row.words() for row in host.info.items("DriverStatus")) if len(one) == 2}
    why = ""
    if driver in ("vfs", "devicemapper"):
        why = f"the storage driver is {driver}"
    elif status.get("Supports d_type", "true") == "false":
        why = "the file system below its images has no d_type"
    if why:
        yield CODE.finding(
            host.name,
            f"{host.name}: {why}",
            [Seen(host.name, "docker info", "overlay2 on a file system with d_type", f"{driver}, {status}")],
            [Fix(host.name, 'drain the node, set "storage-driver": "overlay2" in daemon.json, restart the engine')],
            hosts=[host.name],
        )


def _mixed(cluster: Cluster) -> Found:
    """Nodes that keep images in containerd's store, and others in the engine's own."""
    stores: dict[str, list[str]] = defaultdict(list)
    for host in cluster.members():
        stores[host.image_store].append(host.name)
    if len(stores) > 1:
        shown = "; ".join(f"{store} on {listed(names)}" for store, names in stores.items())
        yield CODE.finding(
            "swarm",
            f"the nodes keep images in different stores: {shown}",
            [Seen(name, "docker info -f '{{.Driver}}'", "one store", one) for one in stores for name in stores[one]],
            [Fix("", 'set "features": {"containerd-snapshotter": true} in daemon.json on all of them, or on none')],
            severity=Severity.ADVICE,
        )


CODE = Diagnosis(
    code="CL102",
    title="The storage driver copies everything, or loses files",
    severity=Severity.WARNING,
    effect="With vfs every layer of every container is a full copy: starts take long and the disk fills. Without "
    "d_type, files in images cannot be removed or replaced.",
    detection="`Driver` and `DriverStatus` of /info. Nodes of one Swarm with different stores of images are advice, "
    "since their images have different IDs.",
    remedy="Use overlay2 on ext4, or on XFS with ftype=1.",
    cluster=_mixed,
    host=_find,
)

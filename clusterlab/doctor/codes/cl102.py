"""CL102: a storage driver that is slow or gone."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster, HostView
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity


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


CODE = Diagnosis(
    code="CL102",
    title="The storage driver copies everything, or loses files",
    severity=Severity.WARNING,
    effect="With vfs every layer of every container is a full copy: starts take long and the disk fills. Without "
    "d_type, files in images cannot be removed or replaced.",
    detection="`Driver` and `DriverStatus` of /info.",
    remedy="Use overlay2 on ext4, or on XFS with ftype=1.",
    host=_find,
)

"""CL103: control groups of version 1."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView


def _find(host: HostView, cluster: Cluster) -> Found:
    version = host.info.text("CgroupVersion", default="1")
    if version == "1":
        yield CODE.finding(
            host.name,
            f"{host.name} has control groups of version 1",
            [Seen(host.name, "docker info -f '{{.CgroupVersion}}'", "2", version)],
            [Fix(host.name, "boot with systemd.unified_cgroup_hierarchy=1, or a current release")],
            hosts=[host.name],
        )


CODE = Diagnosis(
    code="CL103",
    title="Control groups of version 1",
    severity=Severity.ADVICE,
    effect="Newer engines and systemd drop it; limits of memory and I/O work in part only.",
    detection="`CgroupVersion` of /info.",
    remedy="Boot with control groups of version 2.",
    host=_find,
)

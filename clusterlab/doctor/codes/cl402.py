"""CL402: mount options that lose data or locks."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView


def _find(host: HostView, cluster: Cluster) -> Found:
    for volume in host.volumes.values():
        if not volume.is_nfs or "ro" in volume.words:
            continue
        risky = [one for one in volume.words if one in ("soft", "nolock")]
        version = any(one.startswith(("nfsvers=", "vers=")) for one in volume.words)
        if not risky and (version or volume.options.get("type") == "nfs4"):
            continue
        meaning = {
            "soft": "soft: a slow server makes programs lose what they write",
            "nolock": "nolock: locks count on one node alone",
        }
        what = "; ".join(meaning[one] for one in risky) or "no nfsvers: the kernel may take version 3"
        yield CODE.finding(
            f"{host.name} {volume.name}",
            f"{host.name}: volume {volume.name} has {what}",
            [Seen(host.name, f"docker volume inspect {volume.name}", "hard,nfsvers=4.2", str(volume))],
            [Fix(host.name, f"recreate {volume.name} with o=addr={volume.server or 'ADDRESS'},hard,nfsvers=4.2")],
            severity=Severity.WARNING if risky else Severity.ADVICE,
            hosts=[host.name],
        )


CODE = Diagnosis(
    code="CL402",
    title="Mount options of NFS that lose data or locks",
    severity=Severity.WARNING,
    effect="With soft, a write that the server answers late is an error that few programs handle. With nolock, two "
    "nodes may hold one lock.",
    detection="The options of volumes of type nfs.",
    guard="Volumes that are only read.",
    remedy="Use hard,nfsvers=4.2.",
    host=_find,
)

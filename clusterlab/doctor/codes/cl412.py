"""CL412: locks of NFS 3 that cannot work."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import LISTENERS, MOUNTS


def _find(host: HostView, cluster: Cluster) -> Found:
    old = [one for one in host.read(MOUNTS) if one.is_nfs and one.option("vers").startswith("3")]
    locking = [one for one in old if one.option("local_lock") in ("none", "")]
    if not locking:
        return
    programs = {one.program for one in host.read(LISTENERS)}
    if "rpc.statd" in programs:
        return
    yield CODE.finding(
        host.name,
        f"{host.name}: {locking[0].point} is NFS 3 and rpc.statd does not run: locks cannot be acquired",
        [
            Seen(host.name, f"findmnt {locking[0].point}", "vers=4.2, or rpc.statd", locking[0].super_options),
            Seen(host.name, "ss -lntup", "rpc.statd", "it does not listen"),
        ],
        [Fix(host.name, "systemctl start rpc-statd, or mount with nfsvers=4.2")],
        hosts=[host.name],
    )


CODE = Diagnosis(
    code="CL412",
    title="Locks of NFS 3 cannot work",
    severity=Severity.ERROR,
    effect="Programs that lock files end with ENOLCK or wait forever.",
    detection="Mounts with vers=3 and without local_lock, on a host where rpc.statd does not listen.",
    remedy="Use NFS 4.2, or start rpc-statd.",
    host=_find,
    every_host=True,
)

"""CL408: processes wait for an NFS mount that does not answer."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import MOUNTS

_HIDDEN = ("0", "-", "")
_OF_NFS = ("rpc_", "nfs", "nlm")


def _find(host: HostView, cluster: Cluster) -> Found:
    stuck = host.stuck()
    mounts = [one for one in host.read(MOUNTS) if one.is_nfs]
    waiting = [one for one in stuck if one.where.startswith(_OF_NFS)]
    if waiting:
        servers = sorted({one.source.partition(":")[0] for one in mounts})
        yield CODE.finding(
            host.name,
            f"{host.name}: {len(waiting)} {'process hangs' if len(waiting) == 1 else 'processes hang'} in NFS"
            + (f" (server {', '.join(servers)})" if servers else ""),
            [
                *(Seen(host.name, "ps -eo pid,stat,wchan,comm", "none in state D",
                       f"{one.name} ({one.pid}) in {one.where}") for one in waiting[:5]),
                *(Seen(host.name, "findmnt -t nfs,nfs4", "", f"{one.source} on {one.point}") for one in mounts[:5]),
            ],
            [
                Fix("", f"bring the server back ({', '.join(servers) or 'see findmnt'}): hard mounts then go on"),
                Fix(host.name, "restart the tasks that still hang: docker service update --force SERVICE"),
            ],
            hosts=[host.name],
        )  # fmt: skip
    elif mounts and any(one.where in _HIDDEN for one in stuck):
        raise NotSeen(host.name, "the kernel does not show in what waiting processes wait")


CODE = Diagnosis(
    code="CL408",
    title="Processes hang in an NFS mount",
    severity=Severity.ERROR,
    effect="They cannot be ended, their containers cannot be stopped, and `docker ps` or the engine may hang with "
    "them: a "
    "hard mount waits until its server is back.",
    detection="Processes in state D that wait in the kernel's RPC or NFS functions; read twice.",
    guard="Processes wait for moments all the time: only those count that both readings show, and that did not run in "
    "between.",
    remedy="Bring the server back first; then restart what still hangs.",
    passing=True,
    host=_find,
    every_host=True,
)

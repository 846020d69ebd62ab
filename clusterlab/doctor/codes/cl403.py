"""CL403: a node does not reach the NFS server of its volumes."""

from __future__ import annotations

from collections import defaultdict

from clusterlab.checks.preconditions import NfsServerAnswers
from clusterlab.doctor.cluster import NFS, PORTMAPPER, Cluster, asks_portmapper
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.facts import facts_of
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity, listed
from clusterlab.doctor.sections.probes import Outcome, Probe


def _find(cluster: Cluster) -> Found:
    outcomes: dict[str, dict[str, Outcome]] = defaultdict(dict)  # by server and host
    mapped: dict[str, dict[str, Outcome]] = defaultdict(dict)  # of the portmapper
    volumes: dict[str, set[str]] = defaultdict(set)
    old: dict[str, set[str]] = defaultdict(set)
    for host in cluster.engines():
        try:
            for volume in host.volumes.values():
                if volume.is_nfs and volume.server:
                    volumes[volume.server].add(volume.name)
                    outcomes[volume.server][host.name] = host.probed(Probe("tcp", volume.server, NFS))
                    if asks_portmapper(volume):
                        old[volume.server].add(volume.name)
                        mapped[volume.server][host.name] = host.probed(Probe("tcp", volume.server, PORTMAPPER))
        except NotSeen as error:
            yield error
    for server, seen in outcomes.items():
        cut_off = {name: outcome for name, outcome in seen.items() if outcome != "open"}
        if not cut_off:
            continue
        everywhere = len(cut_off) == len(seen)
        where = "any node" if everywhere and len(seen) > 1 else listed(cut_off)
        own, fix = _server(cluster, server, everywhere)
        yield CODE.finding(
            server,
            f"NFS server {server} cannot be reached from {where}: {listed(set(cut_off.values()))}",
            [
                *(Seen(name, f"TCP {NFS} of {server}", "open", outcome) for name, outcome in seen.items()),
                *own,
                Seen(listed(seen), "docker volume ls", "", f"used by volume {listed(volumes[server])}"),
            ],
            fix,
            hosts=list(cut_off),
            consequences=("CL213", "CL404", "CL406", "CL407", "CL408", "CL409", "CL410"),
        )
    for server, seen in mapped.items():
        lost = {name: found for name, found in seen.items() if found != "open" and outcomes[server][name] == "open"}
        if lost:
            yield CODE.finding(
                f"{server} portmapper",
                f"the portmapper of NFS server {server} cannot be reached from {listed(lost)}: {listed(lost.values())}"
                f"; NFS 3 needs it for volume {listed(old[server])}",
                [Seen(name, f"TCP {PORTMAPPER} of {server}", "open", outcome) for name, outcome in seen.items()],
                [
                    Fix("", f"on {server}: systemctl start rpcbind, and accept 111 and mountd's port from these nodes"),
                    Fix("", "or create the volume with nfsvers=4.2, which needs 2049 alone"),
                ],
                hosts=list(lost),
                consequences=("CL213", "CL404", "CL412"),
            )


def _server(cluster: Cluster, server: str, everywhere: bool) -> tuple[list[Seen], list[Fix]]:
    """What the server says itself, when it was asked, and what to do there."""
    host = cluster.at_address(server)
    if host is None:
        return [], [Fix("", f"on {server}: start the NFS server, and accept TCP {NFS} from these nodes")]
    failure = NfsServerAnswers(host.name).failure(facts_of(cluster))
    if failure and failure.cause.code == "nfs-server-down":
        seen = Seen(host.name, "cat /proc/fs/nfsd/threads", "more than 0", failure.cause.summary)
        return [seen], [Fix(host.name, "systemctl start nfs-server")]
    start = [Fix(host.name, "systemctl start nfs-server")] if everywhere else []
    return [], [*start, Fix(host.name, f"accept TCP {NFS} from these nodes")]


CODE = Diagnosis(
    code="CL403",
    title="A node does not reach an NFS server",
    severity=Severity.ERROR,
    effect="Containers with such a volume do not start, and those that run hang in what they read and write.",
    detection="A TCP connection to port 2049 of every `addr=` from each node that has the volume; the number of the "
    "server's threads, where it is one of the hosts. For volumes that demand NFS 3, port 111, too.",
    guard="NFS 3 with both port= and mountport= needs no portmapper.",
    remedy="Start the server, or accept port 2049 there.",
    causes=("nfs-server-down",),
    root=7,
    passing=True,
    cluster=_find,
)

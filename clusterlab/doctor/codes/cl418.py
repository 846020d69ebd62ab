"""CL418: two nodes with one NFS client name."""

from __future__ import annotations

from collections import defaultdict

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found, answers
from clusterlab.doctor.finding import Fix, Seen, Severity, listed
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import KERNEL, MOUNTS


def _find(cluster: Cluster) -> Found:
    found, missing = answers(cluster.hosts.values(), _name_with_nfs)
    yield from missing
    names: dict[str, list[str]] = defaultdict(list)
    for host, name in found.items():
        if name:
            names[name].append(host)
    for name, hosts in names.items():
        if len(hosts) > 1:
            yield CODE.finding(
                listed(hosts),
                f"{listed(hosts)} have one host name ({name}): an NFS 4 server takes them for one client",
                [Seen(host, "uname -n", "a name of its own", name) for host in hosts],
                [
                    Fix(host, "hostnamectl set-hostname NAME; then unmount and mount what is on NFS")
                    for host in hosts[1:]
                ],
                hosts=hosts,
            )


def _name_with_nfs(host: HostView) -> str:
    """The host's name when it has mounted NFS 4."""
    mounted = any(one.is_nfs and one.option("vers").startswith("4") for one in host.read(MOUNTS))
    return host.read(KERNEL).hostname if mounted else ""


CODE = Diagnosis(
    code="CL418",
    title="Two nodes have one NFS client name",
    severity=Severity.ERROR,
    effect="The server drops the locks and open files of one when the other comes.",
    detection="Host names of hosts that have mounted NFS 4.",
    guard="NFS 3 knows clients by their addresses.",
    remedy="Give each host a name of its own.",
    cluster=_find,
)

"""CL411: owners of files that become nobody."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import IDMAP, MOUNTS


def _find(host: HostView, cluster: Cluster) -> Found:
    own = host.read(IDMAP)
    if not own.client:
        return
    servers = {one.option("addr") for one in host.read(MOUNTS) if one.is_nfs and one.option("vers").startswith("4")}
    for address in sorted(filter(None, servers)):
        server = cluster.at_address(address)
        if server is None:
            yield NotSeen(address, "it is not one of the hosts: its idmap domain is not known")
            continue
        theirs = server.read(IDMAP)
        if not theirs.server or (own.domain and own.domain == theirs.domain):
            continue
        yield CODE.finding(
            host.name,
            f"{host.name} and NFS server {server.name} name owners in different domains: files belong to nobody",
            [
                Seen(host.name, "idmapd.conf, hostname -d", theirs.domain, own.domain or "no domain"),
                Seen(server.name, "idmapd.conf, hostname -d", "", theirs.domain or "no domain"),
                Seen(host.name, "cat /sys/module/nfs/parameters/nfs4_disable_idmapping", "Y", "N"),
            ],
            [
                Fix(one.name, f"set Domain = {theirs.domain or own.domain or 'NAME'} in /etc/idmapd.conf; nfsidmap -c")
                for one in (host, server)
            ],
            hosts=[host.name],
        )


CODE = Diagnosis(
    code="CL411",
    title="Owners of files on NFS become nobody",
    severity=Severity.WARNING,
    effect="Files belong to nobody (65534) in containers, though the numbers are equal on both sides: owners travel as "
    "names of a domain that the other side does not know.",
    detection="`nfs4_disable_idmapping` of client and server, and the domains that idmapd uses on both.",
    guard="With sec=sys the kernels send numbers unless somebody switched that off: then nothing is said.",
    remedy="Use one domain on both, or send numbers: nfs4_disable_idmapping=Y.",
    host=_find,
)

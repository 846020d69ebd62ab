"""CL307: packets through the overlay that arrive damaged."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView


def _find(host: HostView, cluster: Cluster) -> Found:
    if not host.active:
        return
    before = host.earlier.namespaces() if host.earlier else {}
    grown: dict[str, tuple[int, int]] = {}
    for name, space in host.namespaces().items():
        earlier = before[name].bad_checksums if name in before else space.bad_checksums if before else 0
        if space.bad_checksums > earlier:
            grown[name] = (earlier, space.bad_checksums)
    if not grown:
        return
    yield CODE.finding(
        host.name,
        f"{host.name} drops TCP segments with wrong checksums, {sum(now - was for was, now in grown.values())} "
        f"{'within seconds' if before else 'so far'}: packets through the overlay arrive damaged",
        [
            Seen(
                host.name,
                f"nsenter --net=/run/docker/netns/{name} cat /proc/net/snmp",
                "InCsumErrors stays as it is",
                f"{was}, then {now}",
            )
            for name, (was, now) in grown.items()
        ],
        [
            Fix(peer.name, f"ethtool -K {device} tx-checksum-ip-generic off")
            for peer in cluster.peers(host)
            for device in peer.devices_of(peer.address)
        ]
        or [Fix("", "on the other nodes: ethtool -K DEVICE tx-checksum-ip-generic off")],
        hosts=[host.name],
    )


CODE = Diagnosis(
    code="CL307",
    title="Checksums of packets through the overlay are wrong",
    severity=Severity.ERROR,
    effect="Names resolve and pings pass, and TCP connections through the overlay hang: the network card of the "
    "sender computes the checksums of packets inside VXLAN wrongly, and the receiver drops them.",
    detection="The counter InCsumErrors of TCP in each of Docker's network namespaces, which must grow between two "
    "readings.",
    guard="A counter that stays as it is.",
    remedy="Switch the offload off on the nodes that send; a newer driver, or another virtual network card, may repair "
    "it.",
    references=("https://github.com/moby/moby/issues/41775",),
    passing=True,
    needs_swarm=True,
    host=_find,
)

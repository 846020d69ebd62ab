"""CL204: a node advertises an address that it does not have."""

from __future__ import annotations

from ipaddress import IPv4Address

from clusterlab.doctor.cluster import GOSSIP, Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import ADDRESSES
from clusterlab.doctor.sections.probes import Probe
from clusterlab.model.addresses import is_ipv4


def _find(host: HostView, cluster: Cluster) -> Found:
    if not host.active:
        return
    address = host.address
    wrong, severity = _wrong(host, cluster, address)
    if not wrong:
        return
    own = ", ".join(str(at.ip) for card in host.read(ADDRESSES) for at in card.addresses if not at.ip.is_loopback)
    yield CODE.finding(
        host.name,
        f"{host.name} advertises {address or 'no address'}, {wrong}",
        [
            Seen(host.name, "docker info -f '{{.Swarm.NodeAddr}}'", "an address of this host", address or "nothing"),
            Seen(host.name, "ip addr", address, own),
        ],
        [
            Fix(host.name, f"ip addr add {address} again, if the host should have it; else"),
            Fix(host.name, "docker swarm leave, then docker swarm join with --advertise-addr"),
        ],
        severity=severity,
        hosts=[host.name],
        consequences=("CL111", "CL205", "CL218", "CL303", "CL305", "CL306", "CL313", "CL403"),
    )


def _wrong(host: HostView, cluster: Cluster, address: str) -> tuple[str, Severity]:
    if not is_ipv4(address) or IPv4Address(address).is_unspecified or IPv4Address(address).is_loopback:
        return "which no other node can reach", Severity.ERROR
    twin = [one.name for one in cluster.peers(host) if one.address == address]
    if twin:
        return f"as {twin[0]} does", Severity.ERROR
    if host.has_address(address):
        return "", Severity.ERROR
    if _reached(host, cluster, address):
        return "which is not on its cards; its peers still reach it there", Severity.WARNING
    return "which is not on its cards", Severity.ERROR


def _reached(host: HostView, cluster: Cluster, address: str) -> bool:
    """Whether a peer reaches the gossip port there, as through address translation."""
    for peer in cluster.peers(host):
        try:
            if peer.probed(Probe("tcp", address, GOSSIP)) == "open":
                return True
        except NotSeen:
            continue
    return False


CODE = Diagnosis(
    code="CL204",
    title="A node advertises an address that it does not have",
    severity=Severity.ERROR,
    effect="Other nodes send its control, gossip and overlay traffic nowhere: after DHCP gave the host another "
    "address, "
    "or when a node joined with 0.0.0.0 or a loopback address.",
    detection="`Swarm.NodeAddr` of /info against the host's addresses and those that other nodes advertise. Behind "
    "address translation the address is nowhere on the host: it is a warning when peers reach port 7946 there.",
    remedy="Give the host its address back, or leave the Swarm and join with --advertise-addr.",
    root=4,
    needs_swarm=True,
    host=_find,
)

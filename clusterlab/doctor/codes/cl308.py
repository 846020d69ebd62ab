"""CL308: encrypted overlay packets are dropped by a host's firewall."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity, listed
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import FIREWALL


def _find(host: HostView, cluster: Cluster) -> Found:
    if not host.active:
        return
    encrypted = [
        one.text("Name")
        for one in host.networks()
        if one.text("Driver", default="") == "overlay"
        and one.texts("Options").get("encrypted", "false") != "false"
        and host.overlay(one.text("Id")) is not None
    ]
    if not encrypted:
        return
    firewall = host.read(FIREWALL)
    dropped: dict[HostView, str] = {}
    lost: list[HostView] = []
    unsent: list[HostView] = []
    for peer in cluster.peers(host):
        try:
            heard = cluster.heard(host, peer, "esp")
        except NotSeen as error:
            yield error
            heard = None
        rule = firewall.drops("esp", 0, peer.address) if peer.address else ""
        if heard == "filtered" and not rule:
            rule = "its packets reach the interface, and not what is behind the packet filter"
        if heard == "unsent":
            unsent.append(peer)
        elif heard == "nothing" and not rule:
            lost.append(peer)
        elif rule and heard != "open":
            dropped[peer] = rule
    if lost:
        names = listed(peer.name for peer in lost)
        yield CODE.finding(
            f"{host.name} from {names}",
            f"ESP (IP protocol 50) from {names} does not reach {host.name}: nothing arrives on {listed(encrypted)}",
            [Seen(host.name, f"listen for ESP from {peer.name}", "packets", "none") for peer in lost],
            [Fix("", f"allow IP protocol 50 from {names} to {host.name} in the network or the security group")],
            hosts=[host.name, *(peer.name for peer in lost)],
        )
    for peer in unsent:
        yield CODE.finding(
            f"{host.name} from {peer.name}",
            f"{peer.name} does not send ESP (IP protocol 50) to {host.name}: its own packet filter refuses it, and "
            f"nothing arrives on {listed(encrypted)}",
            [Seen(peer.name, f"send ESP to {host.name}", "sent", "operation not permitted")],
            [Fix(peer.name, f"iptables -I OUTPUT -p esp -d {host.address} -j ACCEPT")],
            hosts=[host.name, peer.name],
        )
    if dropped:
        yield CODE.finding(
            host.name,
            f"{host.name} drops ESP (IP protocol 50) from {listed(peer.name for peer in dropped)}: "
            f"nothing arrives on {listed(encrypted)}",
            [Seen(host.name, "iptables-save", "ESP accepted", rule) for rule in dict.fromkeys(dropped.values())],
            [Fix(host.name, f"iptables -I INPUT -p esp -s {peer.address} -j ACCEPT") for peer in dropped],
            hosts=[host.name, *(peer.name for peer in dropped)],
        )


CODE = Diagnosis(
    code="CL308",
    title="Encrypted overlay packets are dropped",
    severity=Severity.ERROR,
    effect="Overlays with `--opt encrypted` are silent between nodes, while all others work: their packets are ESP, "
    "not UDP 4789.",
    detection="The INPUT rules for IP protocol 50, on nodes that have set up an encrypted overlay. With --probe, "
    "packets of that protocol that each node sends to the others.",
    guard="Nodes without an encrypted overlay.",
    remedy="Accept protocol 50 from the other nodes.",
    needs_swarm=True,
    host=_find,
)

"""CL308: encrypted overlay packets are dropped by a host's firewall."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster, HostView
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity, listed
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
    dropped = {
        peer: rule for peer in cluster.peers(host) if peer.address and (rule := firewall.drops("esp", 0, peer.address))
    }
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
    detection="The INPUT rules for IP protocol 50, on nodes that have set up an encrypted overlay.",
    guard="Nodes without an encrypted overlay.",
    remedy="Accept protocol 50 from the other nodes.",
    needs_swarm=True,
    host=_find,
)

"""CL305: overlay packets between two nodes are lost, or dropped by a firewall."""

from __future__ import annotations

from typing import NamedTuple

from clusterlab.doctor.cluster import DATA, GOSSIP, Cluster, HostView
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Finding, Fix, NotSeen, Seen, Severity, listed
from clusterlab.doctor.sections import FIREWALL
from clusterlab.doctor.sections.probes import Probe

_FOLLOWS = ("CL313", "CL308")


class Lost(NamedTuple):
    """A host whose packets through the overlay get no answer from another."""

    source: HostView
    target: HostView


def data_port(cluster: Cluster) -> int:
    """The UDP port of overlay traffic."""
    return int(cluster.manager.info.number("Swarm", "Cluster", "DataPathPort", default=0)) or DATA


def _find(cluster: Cluster) -> Found:
    lost: list[Lost] = []
    for source in cluster.members():
        for target in cluster.peers(source):
            try:
                if _is_lost(source, target):
                    lost.append(Lost(source, target))
            except NotSeen as error:
                yield error
    port = data_port(cluster)
    explained: set[tuple[str, str]] = set()
    for host in cluster.members():
        dropped: dict[str, tuple[HostView, str]] = {}
        for one in lost:
            other = one.source if one.target is host else one.target if one.source is host else None
            if other is None:
                continue
            try:
                rule = host.read(FIREWALL).drops("udp", port, other.address)
            except NotSeen as error:
                yield error
                break
            if rule:
                dropped[other.name] = (other, rule)
                explained |= {(other.name, host.name), (host.name, other.name)}
        if dropped:
            yield _dropped(host, dropped, port)
    rest = [one for one in lost if (one.source.name, one.target.name) not in explained]
    if rest:
        yield from _unexplained(rest, port)


def _is_lost(source: HostView, target: HostView) -> bool:
    """Whether small packets get no answer for no known reason.

    Gossip connects, and both sides know where the other is.
    """
    if not source.mesh_address or not target.mesh_address:
        return False  # one of them has no ingress sandbox: a code of its own
    if source.probed(Probe("mesh", target.mesh_address)) == "open":
        return False
    if source.probed(Probe("tcp", target.address, GOSSIP)) != "open":
        return False
    return _knows(source, target) and _knows(target, source) and _up(source) and _up(target)


def _knows(host: HostView, peer: HostView) -> bool:
    """Whether a host has the entries for the ingress sandbox of another.

    Without, packets are not even sent.
    """
    space = host.overlay(host.api("ingress").text("Id"))
    if space is None:
        return False
    mac = space.neighbours.get(peer.mesh_address)
    return any(one.mac == mac for one in space.forwarding)


def _up(host: HostView) -> bool:
    space = host.namespaces().get("ingress_sbox")
    cards = space.cards if space else ()
    return any(card.up and any(str(at.ip) == host.mesh_address for at in card.addresses) for card in cards)


def _dropped(host: HostView, dropped: dict[str, tuple[HostView, str]], port: int) -> Finding:
    sources = list(dropped)
    rules = dict.fromkeys(rule for _, rule in dropped.values())
    accept = [
        Fix(host.name, f"iptables -I INPUT -p udp --dport {port} -s {source.address} -j ACCEPT")
        for source, _ in dropped.values()
    ]
    return CODE.finding(
        host.name,
        f"{host.name} drops VXLAN (UDP {port}) from {listed(sources)}",
        [
            *(Seen(host.name, "iptables-save", f"{port}/udp accepted", rule) for rule in rules),
            *(Seen(name, f"ping {host.name} through the ingress network", "an answer", "none") for name in sources),
            *(Seen(name, f"TCP {GOSSIP} of {host.name}", "open", "open") for name in sources),
        ],
        accept,
        hosts=[host.name, *sources],
        consequences=_FOLLOWS,
    )


def _unexplained(lost: list[Lost], port: int) -> Found:
    """By the host that has a part in all of it, else by pairs."""
    involved = [{one.source.name, one.target.name} for one in lost]
    common = set.intersection(*involved)
    pairs = {tuple(sorted(pair)) for pair in involved}
    culprit = common.pop() if len(common) == 1 and len(pairs) > 1 else ""
    subjects = [culprit] if culprit else [f"{first} and {second}" for first, second in sorted(pairs)]
    for subject in subjects:
        about = [one for one in lost if culprit or {one.source.name, one.target.name} == set(subject.split(" and "))]
        hosts = sorted({name for one in about for name in (one.source.name, one.target.name)})
        text = f"{subject} and its peers" if culprit else subject
        yield CODE.finding(
            subject,
            f"overlay packets (UDP {port}) between {text} are lost; no rule of these hosts drops them",
            [Seen(one.source.name, f"ping {one.target.name} through the ingress network", "an answer", "none")
             for one in about],
            [Fix("", f"open UDP {port} in both directions in the network or the security group between them")],
            hosts=hosts,
            consequences=_FOLLOWS,
        )  # fmt: skip


CODE = Diagnosis(
    code="CL305",
    title="Overlay packets between nodes are dropped",
    severity=Severity.ERROR,
    effect="Names resolve and connections time out: gossip passes (7946), the data path (VXLAN, UDP 4789) does not. "
    "One "
    "direction is enough.",
    detection="A ping between the ingress sandboxes gets no answer while TCP 7946 connects; the INPUT rules of both "
    "hosts "
    "say which of them drops the packets.",
    guard="Without an ingress network, or without forwarding entries for the peer (CL303), nothing is reported.",
    remedy="Accept the port from the other nodes, before rules that drop it.",
    root=5,
    passing=True,
    needs_swarm=True,
    cluster=_find,
)

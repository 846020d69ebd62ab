"""CL305: overlay packets between two nodes are lost, or dropped by a firewall."""

from __future__ import annotations

from typing import NamedTuple

from clusterlab.doctor.cluster import GOSSIP, Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Finding, Fix, NotSeen, Seen, Severity, listed
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import FIREWALL
from clusterlab.doctor.sections.heard import Heard
from clusterlab.doctor.sections.probes import Probe

_FOLLOWS = ("CL313", "CL308")
_LOST = ("filtered", "nothing", "unsent")


class Lost(NamedTuple):
    """A host whose packets through the overlay get no answer from another."""

    source: HostView
    target: HostView
    heard: Heard | None  # what of its probes arrived, when some were sent


def _find(cluster: Cluster) -> Found:
    lost: list[Lost] = []
    for source in cluster.members():
        for target in cluster.peers(source):
            try:
                there, back = cluster.heard(target, source, "data"), cluster.heard(source, target, "data")
            except NotSeen as error:
                yield error
                there = back = None
            try:
                if _is_lost(source, target, there, back):
                    lost.append(Lost(source, target, there))
            except NotSeen as error:
                yield error
    port = cluster.data_port
    explained: set[tuple[str, str]] = set()
    for host in cluster.members():
        dropped: dict[str, tuple[HostView, str]] = {}
        for one in lost:
            other = one.source if one.target is host else one.target if one.source is host else None
            if other is None or one.heard == "unsent":
                continue
            try:
                rule = host.read(FIREWALL).drops("udp", port, other.address)
            except NotSeen as error:
                yield error
                break
            if not rule and one.target is host and one.heard == "filtered":
                rule = "its packets reach the interface, and not what is behind the packet filter"
            if rule:
                dropped[other.name] = (other, rule)
                explained |= {(other.name, host.name), (host.name, other.name)}
        if dropped:
            yield _dropped(host, dropped, port)
        if unsent := [one.target for one in lost if one.source is host and one.heard == "unsent"]:
            explained |= {(host.name, target.name) for target in unsent}
            yield _unsent(host, unsent, port)
    rest = [one for one in lost if (one.source.name, one.target.name) not in explained]
    if rest:
        yield from _unexplained(rest, port)


def _is_lost(source: HostView, target: HostView, there: Heard | None, back: Heard | None) -> bool:
    """Whether small packets get no answer for no known reason.

    Gossip connects, and both sides know where the other is. With probes, `there` and `back` tell in which direction
    packets are lost.
    """
    if there in _LOST:
        return source.probed(Probe("tcp", target.address, GOSSIP)) == "open"
    if back in _LOST:
        return False  # it is the answers that are lost
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
    return space.neighbours.get(peer.mesh_address) in space.destinations


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


def _unsent(host: HostView, targets: list[HostView], port: int) -> Finding:
    names = listed(one.name for one in targets)
    return CODE.finding(
        host.name,
        f"{host.name} does not send VXLAN (UDP {port}) to {names}: its own packet filter refuses it",
        [Seen(host.name, f"send UDP {port} to {one.name}", "sent", "operation not permitted") for one in targets],
        [Fix(host.name, f"iptables -I OUTPUT -p udp --dport {port} -d {one.address} -j ACCEPT") for one in targets],
        hosts=[host.name, *(one.name for one in targets)],
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
            f"overlay packets (UDP {port}) between {text} are lost; no rule for packets that arrive there drops them",
            [_evidence(one, port) for one in about],
            [Fix("", f"open UDP {port} {_direction(about)} in the network or the security group between them")],
            hosts=hosts,
            consequences=_FOLLOWS,
        )  # fmt: skip


def _evidence(one: Lost, port: int) -> Seen:
    if one.heard == "nothing":
        asked = f"listen for UDP {port} from {one.source.name}"
        return Seen(one.target.name, asked, "packets", "none reaches its interface")
    return Seen(one.source.name, f"ping {one.target.name} through the ingress network", "an answer", "none")


def _direction(lost: list[Lost]) -> str:
    if all(one.heard == "nothing" for one in lost):
        return listed(f"from {one.source.name} to {one.target.name}" for one in lost)
    return "in both directions"


CODE = Diagnosis(
    code="CL305",
    title="Overlay packets between nodes are dropped",
    severity=Severity.ERROR,
    effect="Names resolve and connections time out: gossip passes (7946), the data path (VXLAN, UDP 4789) does not. "
    "One "
    "direction is enough.",
    detection="A ping between the ingress sandboxes gets no answer while TCP 7946 connects; the INPUT rules of both "
    "hosts say which of them drops the packets. With --probe, packets that each node sends to the port tell the "
    "direction, and whether they are lost in the network or in the packet filter of the receiver or the sender.",
    guard="Without an ingress network, or without forwarding entries for the peer (CL303), nothing is reported.",
    remedy="Accept the port from the other nodes, before rules that drop it.",
    root=5,
    passing=True,
    needs_swarm=True,
    cluster=_find,
)

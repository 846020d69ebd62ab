"""CL308: encrypted overlay packets that are dropped, or that cannot be decrypted."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity, listed
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import ASSOCIATIONS, DATA_PATH, FIREWALL


def _find(host: HostView, cluster: Cluster) -> Found:
    if not host.active:
        return
    own = {
        one.text("Id"): one.text("Name")
        for one in host.networks()
        if one.text("Driver", default="") == "overlay"
        and one.texts("Options").get("encrypted", "false") != "false"
        and host.overlay(one.text("Id")) is not None
    }
    if not own:
        return
    encrypted = list(own.values())
    yield from _keys(host, cluster, own)
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


def _keys(host: HostView, cluster: Cluster, own: Mapping[str, str]) -> Found:
    """The peers that it has no key for, or whose key it does not know; `own` are names of its networks by ID.

    The engine enters associations with a peer just before the forwarding entries for the peer's first endpoint on an
    encrypted network, so nothing is expected before these exist.
    """
    seen: list[Seen] = []
    silent: set[str] = set()
    for peer in cluster.peers(host):
        try:
            shared = [one for one in own if peer.overlay(one) is not None]
            here, there = _data_address(host), _data_address(peer)
            if not _sends(host, there, shared):
                continue
            known = host.read(ASSOCIATIONS)
            if not known.esp and not known.entries:
                raise NotSeen(
                    host.name,
                    "its kernel shows no IPsec ESP (esp4 is neither loaded nor built in): encrypted overlays may carry "
                    "nothing there",
                    "Run modprobe esp4, and restart docker; a kernel without it has no encrypted overlays.",
                )
            problem = _lacks(host, peer, here, there, both=_sends(peer, here, shared))
        except NotSeen as error:
            yield error
            continue
        if problem:
            seen.append(Seen(host.name, "ip xfrm state list nokeys", *problem))
            silent.update(own[one] for one in shared)
    if seen:
        yield CODE.finding(
            f"{host.name} keys",
            f"{host.name} lacks keys of its peers: nothing arrives on {listed(silent)}",
            seen,
            [Fix(host.name, "systemctl restart docker")],
            hosts=[host.name],
        )


def _data_address(host: HostView) -> str:
    return host.read(DATA_PATH) or host.address


def _sends(host: HostView, address: str, networks: Collection[str]) -> bool:
    """Whether a host has forwarding entries to an address on one of these networks."""
    spaces = [space for one in networks if (space := host.overlay(one)) is not None]
    return any(address in hosts for space in spaces for hosts in space.destinations.values())


def _lacks(host: HostView, peer: HostView, here: str, there: str, *, both: bool) -> tuple[str, str] | None:
    """What a host should have of the keys that it shares with a peer, and what it has; None when it has it.

    Keys rotate, and a host takes those before and after the present one, too: one in common is enough.
    """
    entries = host.read(ASSOCIATIONS).entries
    if not any(one.target == there for one in entries):
        return f"a key to {peer.name}", f"no key to {peer.name}"
    takes = {one.spi for one in entries if one.source == there}
    comes = {one.spi for one in peer.read(ASSOCIATIONS).entries if one.target == here} if both else set()
    if comes and not comes & takes:
        return f"SPI {_shown(comes)} of {peer.name}", f"not {_shown(comes)} of {peer.name}: {_shown(takes)}"
    return None


def _shown(indices: Collection[int]) -> str:
    return ", ".join(f"0x{one:08x}" for one in sorted(indices)) or "none"


CODE = Diagnosis(
    code="CL308",
    title="Encrypted overlay packets are dropped, or cannot be decrypted",
    severity=Severity.ERROR,
    effect="Overlays with `--opt encrypted` are silent between nodes, while all others work: their packets are ESP, "
    "not UDP 4789.",
    detection="The INPUT rules for IP protocol 50, on nodes that have set up an encrypted overlay; the kernel's "
    "associations (SPI, never their keys) of two nodes that forward packets of one such overlay to each other. With "
    "--probe, packets of that protocol that each node sends to the others.",
    guard="Nodes without an encrypted overlay, and peers without an endpoint on it. Keys rotate every twelve hours: "
    "one that both nodes know is enough. On a kernel that shows no IPsec ESP it is unknown whether keys fit.",
    remedy="Accept protocol 50 from the other nodes; restart the engine that lacks keys. When it still lacks them, its "
    "journal has `Failed Adding`, and why the kernel refused them.",
    references=("https://github.com/moby/moby/blob/master/daemon/libnetwork/drivers/overlay/encryption.go",),
    passing=True,
    needs_swarm=True,
    host=_find,
)

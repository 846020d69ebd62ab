"""CL111: the MTU of the cards is too small for the overlays."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, NotSeen, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import ADDRESSES
from clusterlab.doctor.sections.namespaces import Namespace
from clusterlab.doctor.sections.network import Card
from clusterlab.doctor.sections.probes import Probe

_VXLAN = 50
_ENCRYPTED = 76


def _find(host: HostView, cluster: Cluster) -> Found:
    if not host.active:
        return
    card = _card(host)
    if card is None:
        return  # the address is nowhere on this host: a code of its own
    encrypted = {
        one.text("Id")[:10]
        for one in host.networks()
        if "encrypted" in one.texts("Options") and one.texts("Options")["encrypted"] != "false"
    }
    too_large = [
        (space, mtu, mtu + (_ENCRYPTED if space.network in encrypted else _VXLAN))
        for space in host.namespaces().values()
        if space.network and (mtu := _mtu(space)) is not None
    ]
    wrong = [one for one in too_large if one[2] > card.mtu]
    if not wrong:
        return
    names = {one.text("Id")[:10]: one.text("Name") for one in host.networks()}
    lost, missing = _full_size_lost(host, cluster)
    yield from missing  # it may be an error then
    space, mtu, needed = max(wrong, key=lambda one: one[2])
    network = names.get(space.network, space.network)
    yield CODE.finding(
        host.name,
        f"{host.name}: {card.name} has MTU {card.mtu}; overlay {network} needs {needed}",
        [
            Seen(host.name, f"ip link show {card.name}", f"an MTU of at least {needed}", f"mtu {card.mtu}"),
            Seen(host.name, f"nsenter --net=/run/docker/netns/{space.name} ip link", "", f"VXLAN device: mtu {mtu}"),
            *(Seen(host.name, f"ping -M do from the ingress sandbox to {one}", "an answer", "none") for one in lost),
        ],
        [
            Fix(host.name, f"ip link set {card.name} mtu {needed}, if the network between the hosts carries it; else"),
            Fix("", f"recreate {network} with --opt com.docker.network.driver.mtu={card.mtu} (the option is the "
                "underlay's MTU; the engine subtracts)"),
        ],
        severity=Severity.ERROR if lost else Severity.WARNING,
        hosts=[host.name],
    )  # fmt: skip


def _card(host: HostView) -> Card | None:
    """The card that has the node's address."""
    for card in host.read(ADDRESSES):
        if any(str(one.ip) == host.address for one in card.addresses):
            return card
    return None


def _mtu(space: Namespace) -> int | None:
    card = space.card("vxlan")
    return card.mtu if card else None


def _full_size_lost(host: HostView, cluster: Cluster) -> tuple[list[str], list[NotSeen]]:
    """The peers that answer small packets through the ingress network, and none of full size.

    And what was not seen of others.
    """
    found, missing = [], []
    for peer in cluster.peers(host):
        try:
            small = host.probed(Probe("mesh", peer.mesh_address))
            full = host.probed(Probe("mesh-full", peer.mesh_address))
        except NotSeen as error:
            missing.append(error)
            continue
        if small == "open" and full == "no answer":
            found.append(peer.name)
    return found, missing


CODE = Diagnosis(
    code="CL111",
    title="The MTU of a card is smaller than its overlays need",
    severity=Severity.ERROR,
    effect="Small packets pass and large ones vanish: connections open and then hang, as with TLS or file "
    "transfers. The "
    "engine takes 1500 for the underlay, whatever the card has.",
    detection="The MTU of each overlay's VXLAN device plus 50 (encrypted: 76) against that of the card with the node's "
    "address; a packet of full size through the ingress network. It is a warning when packets of full size still pass.",
    remedy="Raise the card's MTU, or recreate the networks with the MTU of the underlay.",
    needs_swarm=True,
    host=_find,
)

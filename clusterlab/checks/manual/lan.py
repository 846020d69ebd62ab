"""Keeping what a person types on the LAN, as `checks.lan` keeps probes there."""

from __future__ import annotations

import shlex
from ipaddress import ip_address

from clusterlab.model.addresses import is_ip
from clusterlab.model.probes import Address, Target

from ..batch import NEAR
from ..lan import between_overlays
from ..place import Place
from .where import Where, with_variables

NAMES = "/^Name:/ { answer = 1 } answer && /^Address.*[.]/ { print $NF }"
"""An awk program for the addresses in nslookup's answer; the lines before it are about the server."""
NEAR_CARD = "@card@"
"""The interface in a command for `over_near`: a token."""
_LAN = "ip -o -4 address show to {} | awk '{{ print $2 }}'"
_ITS_OWN = r"s/.* dev (lo|docker0|docker_gwbridge|br-[0-9a-f]{12}) .*/\1/p"  # what does not leave the host
_WAY = "{{ ip -o route get {} | grep -v ' via ' | sed -nE '{}'; {}; }} | head -n 1"


def first(nslookup: str) -> str:
    """What prints the first address in nslookup's answer."""
    return f"{nslookup} | awk '{NAMES}' | head -n 1"


def card(target: Target, place: Place, where: Where) -> str:
    """As the check: the interface that keeps a host's probe on the LAN, a token.

    Empty where it stays there anyway.
    """
    if place.container or _near(target, place, where):
        return ""
    lan = _LAN.format(where.lab.inventory.hosts[place.host].address)
    if isinstance(target, Address):
        return where.looked_up(place.host, f"LAN of {place.host}", lan)
    return where.looked_up(
        place.host, f"way of {place.host} to {target}", _WAY.format(_first_address(target), _ITS_OWN, lan)
    )


def leaves_swarm(target: Target, place: Place, where: Where) -> bool:
    """Whether a container's way to an address on an overlay network is its default route, as the files have it."""
    play = where.play
    return (
        isinstance(target, Address)
        and between_overlays(target, place, play)
        and target.network not in play.containers[place.container].networks
    )


def over_near(ask: str, proof: str, place: Place, where: Where, *, negative: bool) -> tuple[str, str]:
    """As the check: what asks over each interface of a container but that of its default route, and the proof.

    `proof` is that of one interface: one must be answered, or all kept away. Without such an interface nothing is
    asked, which proves nothing.
    """
    cards = with_variables(f"cards=$({NEAR} /proc/{where.process(place)}/net/route)")
    ends = ("|| exit 1", "exit 0") if negative else ("&& exit 0", "exit 1")
    each = f"for card in $cards; do {{ {proof}; }} {ends[0]}; done; {ends[1]}"
    return f"{cards}; for card in $cards; do {ask}; done", f'(\n{cards}; [ "$cards" ] || exit 1\n{each}\n)'


def _first_address(target: str) -> str:
    if is_ip(target):
        return target
    return f"\"$(getent ahostsv4 {shlex.quote(target)} | awk 'NR == 1 {{ print $1 }}')\""


def _near(target: Target, place: Place, where: Where) -> bool:
    """Whether a target is on the host, in one of its containers, or on the LAN."""
    if isinstance(target, Address):
        return target.container is not None and where.container(target.container).host == place.host
    written = where.target(place, target)
    if not is_ip(written):
        return written == "localhost"
    address = ip_address(written)
    return address.is_loopback or address in where.lab.inventory.network.subnet

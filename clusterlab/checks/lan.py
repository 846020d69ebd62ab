"""Keeping the probes of a host on the LAN, which is what is asked about.

A host may have another way out: a card for its management, with a router that answers in the name of any address, as
the user network of QEMU does. What is reached or not reached over that way proves nothing about the lab.
"""

from __future__ import annotations

import re
import shlex
from ipaddress import ip_address

from clusterlab.model.probes import Address, Target

from .place import NotUnderstood, Place
from .places import Places
from .reached import Reach
from .resolve import first_address

_LOOK = (
    'ip -o route get "$1" 2> /dev/null; echo --; ip -o link show type bridge; echo --; ip -o -4 address show to "$2"'
)
_DEVICE = re.compile(r" dev (\S+)")
_NAMES = re.compile(r"^\d+: ([^\s:@]+)", re.MULTILINE)


def card(target: Target, place: Place, places: Places) -> str:
    """The interface to which a probe must be bound to stay on the LAN.

    Empty where it does so anyway.

    It does in a container, on loopback, on the host's own bridges, and when the host's way to the target is the LAN.
    What is on another host is behind none of its own bridges, though they may have the same addresses.
    Raises NotUnderstood when the host has no interface with its LAN address.
    """
    if place.container:
        return ""
    if isinstance(target, Address):
        near = target.container is not None and places.container(target.container).host == place.host
        return "" if near else _look(place, places)[0]
    address = _address(places.target(place, target), place, places)
    if not address:
        return ""  # a name that is not resolved leads nowhere
    lan, route, bridges = _look(place, places, address)
    return "" if stays(route, lan, bridges) else lan


def _look(place: Place, places: Places, address: str = "") -> tuple[str, str, frozenset[str]]:
    """The host's interface on the LAN, its route to an address, and its bridges.

    In one command.
    """
    of_host = str(places.lab.inventory.hosts[place.host].address)
    argv = ["sh", "-c", _LOOK, "sh", address or of_host, of_host]
    completed = places.run(place, argv)
    route, bridges, lan = ([*completed.stdout.split("--\n"), "", ""])[:3]
    names = _NAMES.findall(lan)
    if not names:
        raise NotUnderstood(
            f"no interface of {place.host} has its LAN address {of_host}",
            command=shlex.join(argv),
            detail=completed.output,
            remedy="the address in the inventory must be that of the host on the LAN",
        )
    return names[0], route, frozenset(_NAMES.findall(bridges))


def stays(route: str, lan: str, bridges: frozenset[str]) -> bool:
    """Whether a route stays on the LAN or the host, as `ip -o route get` prints it.

    A bridge over which a router is reached is none of the host's containers.
    """
    device = _DEVICE.search(route)
    if not device:
        return False
    return device[1] in (lan, "lo") or (device[1] in bridges and " via " not in route)


def _address(target: str, place: Place, places: Places) -> str:
    try:
        return str(ip_address(target))
    except ValueError:
        found = first_address(target, place, places)
        return "" if isinstance(found, Reach) else found

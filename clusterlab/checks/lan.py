"""Keeping probes on the networks that are asked about: those of a host on the LAN, those of a container in the Swarm.

A host may have another way out: a card for its management, with a router that answers in the name of any address, as
the user network of QEMU does. What is reached or not reached over that way proves nothing about the lab. A container
on an overlay network has that way out, too: its default route leads through its host.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from clusterlab.model.playbook import Play
from clusterlab.model.probes import Address, Target

from .batch import NEAR
from .network import entering
from .place import NotUnderstood, Place
from .places import Places
from .reached import Reach
from .resolve import first_address

_LOOK = (
    'ip -o route get "$1" 2> /dev/null; echo --; ip -o link show type bridge; echo --; ip -o -4 address show to "$2"'
)
_AROUND = f"""{NEAR} "/proc/$1/net/route" || exit 1; echo --; {" ".join(entering("$1"))} ip -o route get "$2"; echo"""
_DEVICE = re.compile(r" dev (\S+)")
_NAMES = re.compile(r"^\d+: ([^\s:@]+)", re.MULTILINE)


def over(target: Target, place: Place, places: Places, reach: Callable[[str], Reach]) -> Reach:
    """What a probe meets that is kept on the networks it is about; `reach` tries it over an interface.

    The interface is "" where the probe need not be bound to one. Of several, one over which it is answered counts.
    """
    asked = between_overlays(target, place, places.play)
    first, *others = _near(target, place, places) if asked else [card(target, place, places)]
    met = reach(first)
    for other in others:
        met = met if met.reached else reach(other)
    return met


def between_overlays(target: Target, place: Place, play: Play) -> bool:
    """Whether a container on an overlay network asks for an address on one.

    No such network is reached over the container's default route: what answers there is not in the Swarm.
    """
    own = play.containers.get(place.container)
    overlay = isinstance(target, Address) and play.in_swarm(target.network)
    return overlay and own is not None and any(map(play.in_swarm, own.networks))


def _near(target: Target, place: Place, places: Places) -> Sequence[str]:
    """The interfaces of a container but that of its default route, if its way to the target is that one.

    It is not when the container has the address itself, which answers over no interface but loopback.
    """
    argv = ["sh", "-c", _AROUND, "sh", places.process(place), places.target(place, target)]
    completed = places.run(Place(place.host), argv)
    cards, _, route = completed.stdout.partition("--\n")
    if not completed.ok:
        raise NotUnderstood(
            f"the routes of {place} could not be read", command=shlex.join(argv), detail=completed.output
        )
    device = _DEVICE.search(route)
    return cards.split() if device and cards and device[1] not in ("lo", *cards.split()) else [""]


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

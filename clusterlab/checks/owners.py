"""Whose an address is.

A probe proves something of its target only if nobody else can have answered.

After a start that failed in the middle, an engine may keep an address that the Swarm has given to another container
since. A container that asks for such an address may be asking itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from clusterlab.errors import ClusterlabError
from clusterlab.model.probes import Address, Target
from clusterlab.parallel import parallel

from .place import NotUnderstood, Place
from .places import Places
from .reached import Reach
from .resolve import look_up

HINT = (
    "a start that failed in the middle leaves a container with an address that is somebody else's by now: remove it "
    "(`docker rm --force`), and `clusterlab apply` creates it again; of two hosts, one must give up the address"
)
_OWN_ADDRESSES = ["ip", "-o", "-4", "address", "show"]
_ADDRESS = re.compile(r" inet ([0-9.]+)")


@dataclass(frozen=True)
class Endpoint:
    """An address that a running container has on a network, as its engine reports it."""

    place: Place
    network: str  # its id: of an overlay network the same on every host
    address: str


def mistaken(target: Target, met: Reach, place: Place, places: Places) -> str:
    """Why what answered at `place` may not be `target`; "" when it can only be that.

    Containers of the play have addresses of which several engines know, and a host its own on the LAN; any other target
    is taken as it is, unless the asking place has the address itself. Raises ProbeError when this cannot be found out.
    """
    meant = containers_of(target, place, places)
    if place in meant:
        return ""
    if not meant:
        host = _host(target, places)
        return _mistaken_host(host, place, places) if host else _asked_itself(target, met, place, places)
    addresses = _addresses(target, met, place, places)
    endpoints = _endpoints(meant, place, places)
    networks = {one.network for one in endpoints if one.place in meant or one.place == place}
    own = _own(place, places)
    for address in addresses:
        found = {one.place for one in endpoints if one.address == address and one.network in networks}
        found |= {place} if address in own else set()
        if wrong := judge(address, meant, found):
            return wrong
    return ""


def _host(target: Target, places: Places) -> str:
    """The host that a target is, by its name or its address on the LAN; "" for none."""
    hosts = places.lab.inventory.hosts
    return next((name for name, one in hosts.items() if target in (name, str(one.address))), "")


def _mistaken_host(host: str, place: Place, places: Places) -> str:
    """Why what answered may not be a host: the asking place has its address, too."""
    address = str(places.lab.inventory.hosts[host].address)
    if (host == place.host and _like_its_host(place, places)) or address not in _own(place, places):
        return ""
    return judge(address, {Place(host)}, {Place(host), place})


def _asked_itself(target: Target, met: Reach, place: Place, places: Places) -> str:
    """Why a service, or what has a written address, may not have answered: the asking place has the address, too.

    Addresses that a host has besides are its own affair: bridges' gateways, and those that move between hosts.
    """
    service = _service(target, place, places)
    if service and not place.container.startswith(f"{service}."):  # a task has the service's address
        addresses, whose = _addresses(target, met, place, places), f" of service {service}"
    elif isinstance(target, str) and _is_foreign(target, place, places):
        addresses, whose = [target], ""
    else:
        return ""
    addresses = [one for one in addresses if not ip_address(one).is_loopback]
    own = _own(place, places) if addresses else frozenset()
    return next((f"{one}{whose} belongs to {place} itself" for one in addresses if one in own), "")


def _service(target: Target, place: Place, places: Places) -> str:
    """The service that a target is: a name is one only where Docker's DNS answers."""
    if isinstance(target, Address):
        return target.service or ""
    own = places.play.containers.get(place.container)
    by_hand = own is not None and target in own.extra_hosts
    return target if place.container and not by_hand and target in places.play.known_services else ""


def _is_foreign(target: str, place: Place, places: Places) -> bool:
    """Whether a target is an address, and none that the play gives the asking container."""
    try:
        ip_address(target)
    except ValueError:
        return False
    own = places.play.containers.get(place.container)
    given = {one.ipv4_address for one in own.networks.values() if one} if own else set()
    return target not in given and not _like_its_host(place, places)


def _like_its_host(place: Place, places: Places) -> bool:
    """Whether a place has its host's addresses: the host, and a container in its network, as one of others may be."""
    own = places.play.containers.get(place.container)
    return own is None or own.network_mode == "host"


def judge(address: str, meant: Collection[Place], found: Collection[Place]) -> str:
    """What is wrong when an address of `meant` belongs to the places `found`."""
    names = " and ".join(sorted(map(str, found)))
    wanted = " or ".join(sorted(map(str, meant)))
    if not found:
        return f"{address} is not an address of {wanted}"
    if not set(found) & set(meant):
        return f"{address} belongs to {names}, not to {wanted}"
    return f"{address} belongs to {names}" if set(found) - set(meant) else ""


def containers_of(target: Target, place: Place, places: Places) -> set[Place]:
    """The containers that a target may be.

    A name is one of theirs only where Docker's DNS answers.
    """
    play = places.play
    if isinstance(target, Address):
        return {places.container(target.container)} if target.container else set()
    own = play.containers.get(place.container)
    if not place.container or (own and target in own.extra_hosts):
        return set()
    if target in play.known_services:
        return set()
    if play.host_of(target):
        return {places.container(target)}
    return {
        places.container(name)
        for name, container in play.containers.items()
        if any(one is not None and target in one.aliases for one in container.networks.values())
    }


def _addresses(target: Target, met: Reach, place: Place, places: Places) -> Sequence[str]:
    """The addresses that the probe used, or may have used."""
    if met.addresses:
        return met.addresses
    if isinstance(target, Address):
        return [places.address(target)]
    if not met.reached:
        return []  # its name may not resolve, and where it was looked for is not known
    resolved = look_up(target, place, places)
    if not resolved.addresses:
        raise NotUnderstood(
            f"{target} answers, but its name no longer resolves",
            command=resolved.command,
            detail=resolved.output,
        )
    return resolved.addresses


def _endpoints(meant: Collection[Place], place: Place, places: Places) -> list[Endpoint]:
    """The endpoints of all containers that may share a network with the places.

    One request to each host.

    An engine that does not answer is left out, unless one of the places depends on it.
    """
    hosts = _hosts(meant, place, places)
    answers = parallel(lambda host: _endpoints_on(host, places), hosts, name="owners")
    needed = {one.host for one in meant}
    for host, answer in zip(hosts, answers, strict=True):
        if isinstance(answer, ClusterlabError) and host in needed:
            raise answer
    return [one for answer in answers if not isinstance(answer, ClusterlabError) for one in answer]


def _hosts(meant: Collection[Place], place: Place, places: Places) -> list[str]:
    """All of the Swarm where one of the containers is on an overlay network.

    Else their own hosts.
    """
    docker_hosts = places.lab.inventory.docker_hosts
    near = {one.host for one in (*meant, place)}
    play = places.play
    joined = {name for name, one in play.containers.items() if name in {one.container for one in meant}}
    networks = {network for name in joined for network in play.containers[name].networks}
    foreign = any(one.container in play.external.containers for one in meant)  # on networks that no file describes
    if foreign or any(play.networks[name].driver == "overlay" for name in networks if name in play.networks):
        near |= set(places.lab.inventory.swarm_hosts)
    return [host for host in docker_hosts if host in near]


def _endpoints_on(host: str, places: Places) -> list[Endpoint]:
    with places.engine(host) as engine:
        reports = engine.containers()
    return [
        Endpoint(Place(host, report["Names"][0].removeprefix("/")), network["NetworkID"], network["IPAddress"])
        for report in reports
        for network in report["NetworkSettings"]["Networks"].values()
        if network.get("IPAddress")
    ]


def _own(place: Place, places: Places) -> frozenset[str]:
    """The addresses that the kernel has at a place, whatever the engine reports."""
    completed = places.in_network(place, _OWN_ADDRESSES, names=False)
    if not completed.ok:
        raise NotUnderstood(
            f"the addresses of {place} could not be listed: {completed.output}",
            command=completed.command,
            detail=completed.output,
        )
    return frozenset(_ADDRESS.findall(completed.stdout))

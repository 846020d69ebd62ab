"""Addresses on the Swarm's networks.

Each must belong to one endpoint, and be one that the Swarm allocated.

When a container's request to join such a network is late, the engine ends the attempt and may then start the container
with an address that it chose itself. Somebody else may have that address. Where the Swarm chose the address, the
engine writes it into the endpoint's IPAMConfig.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .base import Difference
from .observed import Json, Observed, attached


class Endpoint(NamedTuple):
    """What has an address on a network."""

    network: str  # its id
    address: str
    owner: str  # for people: "container alpha on host1"


def endpoints(host: str, containers: Iterable[Json]) -> Iterator[Endpoint]:
    """The endpoints of listed containers of a host."""
    for one in containers:
        for attachment in attached(one).values():
            if attachment.get("IPAddress"):
                yield Endpoint(attachment["NetworkID"], attachment["IPAddress"], f"container {_name(one)} on {host}")


def service_endpoints(services: Iterable[Json]) -> Iterator[Endpoint]:
    """The virtual addresses of listed services."""
    for service in services:
        for one in (service.get("Endpoint") or {}).get("VirtualIPs") or []:
            if one.get("Addr"):
                owner = f"service {service['Spec']['Name']}"
                yield Endpoint(one["NetworkID"], str(one["Addr"]).partition("/")[0], owner)


def clashes(mine: Sequence[Endpoint], others: Iterable[Endpoint]) -> Iterator[tuple[Endpoint, Endpoint]]:
    """Pairs of different owners with the same address on the same network."""
    known = {(one.network, one.address): one for one in mine}
    for other in others:
        one = known.get(other[:2])
        if one and one.owner != other.owner:
            yield one, other


def not_allocated(container: Json, swarm_networks: Iterable[str]) -> list[str]:
    """Names of the networks on which the engine chose a container's address.

    Of those with these ids.
    """
    ids = set(swarm_networks)
    return [
        name
        for name, one in attached(container).items()
        if one.get("NetworkID") in ids
        and one.get("IPAddress")
        and (one.get("IPAMConfig") or {}).get("IPv4Address") != one["IPAddress"]
    ]


def shared_addresses(everywhere: Sequence[Observed], host: str, name: str) -> Mapping[str, Difference]:
    """By network: that a container must give up its address.

    Another container of the lab has it, too.

    Of two, the one whose address the Swarm did not allocate gives way, or else the later one by host and name.
    """
    found = {}
    containers = {(at.name, one): listed for at in everywhere for one, listed in at.containers.items()}
    for network, mine in attached(containers[host, name]).items():
        for other, listed in containers.items():
            theirs = [
                one
                for one in attached(listed).values()
                if other != (host, name)
                and one.get("IPAddress")
                and (one.get("NetworkID"), one.get("IPAddress")) == (mine.get("NetworkID"), mine.get("IPAddress"))
            ]
            if theirs and _rank(mine, (host, name)) > _rank(theirs[0], other):
                owner = f"{mine['IPAddress']}, which container {other[1]} on {other[0]} has, too"
                found[network] = Difference(f"networks.{network}.address", "an address of its own", owner)
    return found


def _rank(endpoint: Json, place: tuple[str, str]) -> tuple[bool, tuple[str, str]]:
    return (endpoint.get("IPAMConfig") or {}).get("IPv4Address") != endpoint["IPAddress"], place


def _name(container: Json) -> str:
    names: list[str] = container.get("Names") or [container.get("Name", "")]
    return names[0].lstrip("/")

"""The host's own network: addresses, routes, sockets, its resolver."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from .section import Section


@dataclass(frozen=True)
class Card:
    """A network interface: its MTU, its IPv4 addresses, and whether it is up."""

    name: str
    mtu: int
    up: bool
    addresses: tuple[IPv4Interface, ...]
    mac: str = ""


def cards(text: str) -> tuple[Card, ...]:
    """What `ip -j addr` prints."""
    found = []
    for one in json.loads(text):
        addresses = tuple(
            IPv4Interface(f"{at['local']}/{at['prefixlen']}") for at in one["addr_info"] if at["family"] == "inet"
        )
        found.append(Card(one["ifname"], int(one["mtu"]), "UP" in one["flags"], addresses, one.get("address", "")))
    if not found:
        raise ValueError("no interface")
    return tuple(found)


ADDRESSES: Section[tuple[Card, ...]] = Section("addresses", "limit ip -j addr", cards)


@dataclass(frozen=True)
class Route:
    """A route to a network, and the interface that it leaves through."""

    network: IPv4Network
    device: str


def _routes(text: str) -> tuple[Route, ...]:
    return tuple(
        Route(IPv4Network(one["dst"]), one.get("dev", "")) for one in json.loads(text) if one["dst"] != "default"
    )


ROUTES: Section[tuple[Route, ...]] = Section("routes", "limit ip -j -4 route", _routes)


@dataclass(frozen=True)
class Listener:
    """A socket that takes connections or datagrams.

    "tcp" or "udp", its port, and the program that has it.
    """

    protocol: str
    port: int
    program: str  # "" when it is the kernel's, or not known


_PROGRAM = re.compile(r'users:\(\("([^"]+)"')


def _listeners(text: str) -> tuple[Listener, ...]:
    found = []
    for line in text.splitlines():
        if line.strip():
            protocol, _, _, _, local, *_ = line.split()
            if protocol not in ("tcp", "udp"):
                raise ValueError(line)
            program = _PROGRAM.search(line)
            found.append(Listener(protocol, int(local.rpartition(":")[2]), program[1] if program else ""))
    return tuple(found)


LISTENERS: Section[tuple[Listener, ...]] = Section("listeners", "limit ss -Hltunp", _listeners)


_RESOLVER = {"nameserver", "search", "domain", "options", "sortlist"}
"""The keywords of resolv.conf(5)."""


def _name_servers(text: str) -> tuple[IPv4Address, ...]:
    words = [line.split() for line in text.splitlines() if line.strip() and line.lstrip()[0] not in "#;"]
    if unknown := {one[0] for one in words} - _RESOLVER:
        raise ValueError(unknown)
    servers = [one[1] for one in words if one[0] == "nameserver"]
    return tuple(IPv4Address(one) for one in servers if ":" not in one)


NAME_SERVERS: Section[tuple[IPv4Address, ...]] = Section(
    "name-servers",
    """
if grep -q '^nameserver 127.0.0.53' /etc/resolv.conf && [ -e /run/systemd/resolve/resolv.conf ]; then
  cat /run/systemd/resolve/resolv.conf
else
  cat /etc/resolv.conf
fi
""",
    _name_servers,
)

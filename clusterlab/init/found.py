"""What an inventory can be written from, wherever it was found."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Network


@dataclass(frozen=True)
class FoundHost:
    """One host.

    `notes` are what a person wants to see beside it, such as its engine's version and labels.
    """

    name: str
    address: str
    roles: tuple[str, ...] = ()
    availability: str = "active"
    ssh: tuple[tuple[str, str], ...] = ()
    notes: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    engine: tuple[int, int] | None = None
    """The version of its Docker engine, as far as releases of Debian differ in it."""


@dataclass(frozen=True)
class NfsMount:
    """A volume on a file server."""

    volume: str
    server: str
    path: str
    type: str = "nfs"
    options: str = "rw"
    """Those of the mount without the server's address."""
    stack: bool = False
    """Whether it belongs to a stack, whose file creates it."""


@dataclass(frozen=True)
class FoundNetwork:
    """A network of the Swarm, or of the host that was read."""

    name: str
    driver: str
    subnets: tuple[str, ...] = ()
    chosen: bool = False
    """Whether somebody chose the subnets: they are not of the Swarm's pools."""
    attachable: bool = False
    internal: bool = False
    options: tuple[tuple[str, str], ...] = ()
    stack: bool = False
    """Whether it belongs to a stack, whose file creates it."""


@dataclass(frozen=True)
class FoundService:
    """A Swarm service, and the ports that it publishes on every node."""

    name: str
    ports: tuple[int, ...] = ()


@dataclass(frozen=True)
class Found:
    """Hosts, and what runs on them as far as it is known.

    `source` says where it is from, in half a sentence.
    """

    lab: str
    source: str
    hosts: tuple[FoundHost, ...]
    ssh: tuple[tuple[str, str], ...] = ()
    networks: tuple[FoundNetwork, ...] = ()
    nfs: tuple[NfsMount, ...] = ()
    services: tuple[FoundService, ...] = field(default_factory=tuple)
    swarm: tuple[tuple[str, object], ...] = ()
    """Settings of the Swarm that are not Docker's defaults, as inventories have them."""
    engine: tuple[tuple[str, object], ...] = ()
    """Keys of daemon.json of the host that was read, those that any host can have."""

    @property
    def servers(self) -> tuple[str, ...]:
        """The addresses of file servers."""
        return tuple(dict.fromkeys(mount.server for mount in self.nfs))

    @property
    def subnet(self) -> IPv4Network | None:
        """The network of /24 that all hosts are in; None when they are in several."""
        networks = {IPv4Network(f"{host.address}/24", strict=False) for host in self.hosts}
        return networks.pop() if len(networks) == 1 else None


def host_name(text: str, taken: Iterable[str] = ()) -> str:
    """A name for a host as inventories have it.

    Lower-case letters, digits and inner dashes; unlike those `taken`.
    """
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "host"
    numbered = (f"{name}-{number}" for number in range(2, 10_000))
    return name if name not in taken else next(one for one in numbered if one not in taken)

"""What a kind of advice is, and what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

from clusterlab.stacks.given import Place
from clusterlab.stacks.load import Loaded
from clusterlab.stacks.stack import Service, Stack

_DEFAULT_LAN = IPv4Network("192.168.98.0/24")


class Hit(NamedTuple):
    """A place that a kind of advice has something to say about."""

    place: Place
    subject: str  # what it is about: services.web, volumes.data
    detail: str = ""  # what the key is made specific with: the tmpfs of ignored-key:tmpfs
    more: str = ""  # what is to be added to the reason


@dataclass(frozen=True)
class Subject:
    """The files that were read, and the lab's network.

    Subnets should not overlap it.
    """

    loaded: Loaded
    lan: IPv4Network | IPv6Network = field(default=_DEFAULT_LAN)

    @property
    def stack(self) -> Stack:
        return self.loaded.valid()

    def services(self) -> Iterator[tuple[str, Service]]:
        """The services, and how they are called in messages."""
        return ((f"services.{service.name}", service) for service in self.stack.services.values())


@dataclass(frozen=True)
class AdviceKind:
    """One kind of advice: its key, when it is given, why, and what to do."""

    name: str
    when: str
    reason: str
    remedy: str
    find: Callable[[Subject], Iterator[Hit]] = field(repr=False)
    from_text: bool = False  # found in the text of the files: given for stacks that do not load, too


@dataclass(frozen=True, order=True)
class Advice:
    """One piece of advice at one place."""

    file: str
    line: int
    column: int
    key: str
    message: str
    remedy: str

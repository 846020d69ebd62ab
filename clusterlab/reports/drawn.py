"""What there is in a lab, to be drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class DrawnHost:
    name: str
    address: str
    roles: list[str]


@dataclass(frozen=True)
class DrawnContainer:
    """A container; `joins` are the networks and volumes it is on, by name."""

    name: str
    host: str
    image: str
    joins: list[str]


@dataclass(frozen=True)
class DrawnService:
    """A Swarm service, whose tasks are wherever the Swarm puts them.

    `tasks` says how many: "2" or "one per node".
    """

    name: str
    image: str
    tasks: str
    joins: list[str]


@dataclass(frozen=True)
class DrawnShared:
    """A network or volume.

    `served_by` is the host that a volume's data lies on, if that is one of the lab.
    """

    name: str
    kind: Literal["network", "volume"]
    detail: str
    served_by: str = ""


@dataclass(frozen=True)
class Picture:
    """What there is in a lab, to be drawn."""

    hosts: list[DrawnHost] = field(default_factory=list)
    containers: list[DrawnContainer] = field(default_factory=list)
    services: list[DrawnService] = field(default_factory=list)
    shared: list[DrawnShared] = field(default_factory=list)

"""What the planning of Docker objects works on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clusterlab.model.lab import Lab

from .base import LABEL_PLAY, Key
from .observed import Json, Observed, labels_of

if TYPE_CHECKING:
    from .images import WantedImage

SWARM_DRIVERS = ("overlay",)


@dataclass(frozen=True)
class Scope:
    """A lab, what stands on its Docker hosts, and what may be done there.

    `observed` has the hosts that answered; the others are told elsewhere. `omitted` are the resources left
    out because the machines cannot have them, `images` those that the plays use.
    """

    lab: Lab
    observed: Mapping[str, Observed]
    allow_data_loss: bool = False
    omitted: frozenset[Key] = frozenset()
    images: Mapping[str, WantedImage] = field(default_factory=dict)

    @property
    def manager(self) -> str:
        """The host that is asked about Swarm-wide things: the first with that role, or nothing."""
        return next(iter(self.lab.inventory.with_role("swarm_manager")), "")

    def answers(self, key: Key) -> bool:
        """Whether a resource is to be looked at: its host answered, and it is not left out."""
        return key.host in self.observed and key not in self.omitted

    def left_from_these_plays(self, at: Observed, objects: Mapping[str, Json]) -> Iterator[str]:
        """Names of objects that were made for the plays at hand, by their labels."""
        for name, one in objects.items():
            if at.owns(one) and labels_of(one).get(LABEL_PLAY) in self.lab.plays:
                yield name


def network_key(lab: Lab, host: str, name: str) -> Key:
    """The key of the network that a container on `host` names: Swarm-wide ones are the manager's."""
    manager = next(iter(lab.inventory.with_role("swarm_manager")), "")
    for play in lab.plays.values():
        network = play.networks.get(name)
        if network and network.driver in SWARM_DRIVERS:
            return Key(manager, "network", name)
    return Key(host, "network", name)

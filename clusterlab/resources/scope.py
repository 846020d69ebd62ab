"""What planning works on.

What is wanted, which needs no host, and what stands on the hosts and in their Swarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from clusterlab.capabilities import ALL_CAPABILITIES, Capabilities
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.progress import Progress, Silent
from clusterlab.remote import Host

from .base import SWARM, Change, Key
from .deploying import AS_USUAL, Deploying
from .engine_calls import engine
from .observed import Json, Observed
from .wanted_images import WantedImage

SWARM_DRIVERS = ("overlay",)
MANAGERS = Key(SWARM, "swarm", "managers")
"""What Swarm-wide resources need: a manager that answers."""


@dataclass(frozen=True)
class Wants:
    """What the lab's files want: all that wanted states are made from.

    `images` are those that the plays use. `capabilities` says what hosts lack, and `omitted` are the resources that are
    left out because of that. `deploying` are the options with which stacks are deployed.
    """

    lab: Lab
    images: Mapping[str, WantedImage] = field(default_factory=dict)
    capabilities: Capabilities = ALL_CAPABILITIES
    omitted: frozenset[Key] = frozenset()
    deploying: Deploying = AS_USUAL

    def tag(self, image: str) -> str:
        """The tag by which hosts know an image of the inventory.

        Its name as long as it is not known.
        """
        return self.images[image].tag if image in self.images else image

    def plays(self) -> list[tuple[str, Play]]:
        return list(self.lab.plays.items())


@dataclass(frozen=True)
class UnseenTask:
    """A task whose container exists on a node that could not be inspected.

    `spec` is its ContainerSpec.
    """

    service: str
    node: str  # by the name that it gave itself
    spec: Json


@dataclass(frozen=True)
class SwarmView:
    """A Swarm as one of its managers reports it.

    `at` is the host that is asked and that changes it.

    What only stacks need is asked for when it is first used; that raises ClusterlabError.
    """

    at: Observed
    services: Mapping[str, Json] = field(default_factory=dict)
    unseen: tuple[UnseenTask, ...] = ()

    @property
    def networks(self) -> Mapping[str, Json]:
        """The Swarm's networks by name."""
        return {name: one for name, one in self.at.networks.items() if one.get("Scope") == "swarm"}

    @cached_property
    def configs(self) -> list[Json]:
        with engine(self.at.host, "list the configs") as api:
            return list(api.configs())

    @cached_property
    def secrets(self) -> list[Json]:
        with engine(self.at.host, "list the secrets") as api:
            return list(api.secrets())

    @cached_property
    def nodes(self) -> list[Json]:
        with engine(self.at.host, "list the nodes") as api:
            return list(api.nodes())

    @cached_property
    def tasks(self) -> list[Json]:
        with engine(self.at.host, "list the tasks") as api:
            return list(api.tasks())

    @cached_property
    def network_names(self) -> Mapping[str, str]:
        """The names of networks by the ids that services have for them."""
        names = {one["Id"]: name for name, one in self.at.networks.items()}
        with engine(self.at.host, "inspect the networks of services") as api:
            return names_of_networks(api, [service["Spec"] for service in self.services.values()], names)

    def services_on(self, network_id: str) -> list[str]:
        """Services whose tasks are on a network."""
        return [
            name
            for name, service in self.services.items()
            if any(one["Target"] == network_id for one in _attachments(service["Spec"]))
        ]


def names_of_networks(api: Any, specs: Iterable[Json], known: Mapping[str, str]) -> Mapping[str, str]:
    """The names of networks by the ids that specs have for them, if known.

    The nodes' own networks, such as host, have ids in the Swarm that are in no list.
    """
    targets = {str(one["Target"]) for spec in specs for one in _attachments(spec)}
    return {**known, **{target: str(api.inspect_network(target)["Name"]) for target in targets - known.keys()}}


def _attachments(spec: Json) -> list[Json]:
    found: list[Json] = spec["TaskTemplate"].get("Networks") or []
    return found


@dataclass(frozen=True)
class Scope:
    """A lab's hosts and Swarm as they are, and what may be done there.

    `name` is the lab's. `observed` has the hosts that answered; the others are reported elsewhere. `swarms` is what
    their managers report, by the `host` of its keys: SWARM for the lab's own. `data_flag` names the option without
    which no data may be lost; it is empty when it was given. `pending` are the changes planned so far. `silent` are
    hosts that were asked and did not answer, `allowed` further options that were given.
    """

    name: str
    observed: Mapping[str, Observed]
    swarms: Mapping[str, SwarmView] = field(default_factory=dict)
    data_flag: str = ""
    progress: Progress = field(default_factory=Silent)
    pending: Mapping[Key, Change] = field(default_factory=dict)
    silent: Mapping[str, Host] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()

    @property
    def swarm(self) -> SwarmView | None:
        """The lab's Swarm; None when no manager answers."""
        return self.swarms.get(SWARM)

    @property
    def everywhere(self) -> list[Observed]:
        return list(self.observed.values())

    @property
    def hosts(self) -> list[Host]:
        return [at.host for at in self.everywhere]

    def answers(self, key: Key) -> bool:
        """Whether where a resource is has answered."""
        return key.host in self.observed or key.host in self.swarms

    def at(self, key: Key) -> Observed:
        """The host that is asked about a resource, and where it is changed."""
        return self.swarms[key.host].at if key.host in self.swarms else self.observed[key.host]

    def with_pending(self, pending: Mapping[Key, Change]) -> Scope:
        """The same, with the changes planned so far.

        A mapping that grows while planning goes on.
        """
        return replace(self, pending=pending)


def network_key(lab: Lab, host: str, name: str) -> Key:
    """The key of the network that a container on `host` names."""
    return Key(SWARM if is_swarm_wide(lab, name) else host, "network", name)


def is_swarm_wide(lab: Lab, network: str) -> bool:
    """Whether the plays have a network of that name which belongs to the Swarm."""
    return any(
        network in play.networks and play.networks[network].driver in SWARM_DRIVERS for play in lab.plays.values()
    )

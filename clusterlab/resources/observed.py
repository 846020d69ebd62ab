"""What a host and its engine report.

One command and five requests for each host, whatever the number of plays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from clusterlab.docker_labels import SERVICE, SERVICE_ID, TASK_ID
from clusterlab.remote import Host

from .engine_calls import engine
from .labels import is_ours

Json = Mapping[str, Any]
MOST = 4
"""Changes at the same time on a host, however many processors it has."""

LISTINGS: Mapping[str, Callable[[Any], Any]] = {
    "info": lambda api: api.info(),
    "containers": lambda api: api.containers(all=True),
    "volumes": lambda api: api.volumes().get("Volumes") or [],
    "networks": lambda api: api.networks(),
    "images": lambda api: api.images(),
}
"""What an engine can be asked for, each with one request."""


@dataclass(frozen=True)
class Observed:
    """What one host reports.

    `listings` are the engine's answers by the names in LISTINGS, empty for a host without an engine; `answers` are
    those of the host's script, by section. Objects are by name.
    """

    lab: str
    host: Host
    listings: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.host.name

    @property
    def info(self) -> Json:
        """What the engine says of itself; empty when it was not asked."""
        info: Json = self.listings.get("info") or {}
        return info

    @cached_property
    def containers(self) -> Mapping[str, Json]:
        return {one["Names"][0].lstrip("/"): one for one in self.listings.get("containers", ()) if one.get("Names")}

    @cached_property
    def volumes(self) -> Mapping[str, Json]:
        return {one["Name"]: one for one in self.listings.get("volumes", ())}

    @cached_property
    def networks(self) -> Mapping[str, Json]:
        return {one["Name"]: one for one in self.listings.get("networks", ())}

    @cached_property
    def images(self) -> Mapping[str, str]:
        """Ids by tag."""
        return {tag: one["Id"] for one in self.listings.get("images", ()) for tag in one.get("RepoTags") or []}

    @cached_property
    def image_digests(self) -> Mapping[str, tuple[str, ...]]:
        """Digests in registries, by the image's id."""
        return {one["Id"]: tuple(one.get("RepoDigests") or ()) for one in self.listings.get("images", ())}

    @property
    def bears(self) -> int:
        """How many changes at the same time.

        Each starts processes, which one processor only slows down for each other.

        More than MOST would wait for one of the few channels to the engine.
        """
        return min(MOST, 2 * int(self.info.get("NCPU") or MOST))

    @property
    def manages_swarm(self) -> bool:
        return bool(self.info.get("Swarm", {}).get("ControlAvailable"))

    @property
    def containerd_images(self) -> bool:
        """Whether images are kept in containerd.

        An image's id is its manifest's digest there.
        """
        return any("io.containerd.snapshotter" in str(value) for _, value in self.info.get("DriverStatus") or [])

    def owns(self, labelled: Json) -> bool:
        """Whether a listed container, volume, network or service is of this lab."""
        return is_ours(self.lab, labels_of(labelled))

    def containers_on(self, network_id: str) -> dict[str, Json]:
        """Containers attached to a network, by name."""
        return {
            name: container
            for name, container in self.containers.items()
            if any(one.get("NetworkID") == network_id for one in attached(container).values())
        }

    def containers_with(self, volume: str) -> dict[str, Json]:
        """Containers that mount a volume, by name."""
        return {
            name: container
            for name, container in self.containers.items()
            if any(mount.get("Name") == volume for mount in container.get("Mounts") or [])
        }


def attached(container: Json) -> Mapping[str, Json]:
    """The networks that a listed container is on, by name."""
    found: Mapping[str, Json] = (container.get("NetworkSettings") or {}).get("Networks") or {}
    return found


def labels_of(listed: Json) -> Mapping[str, str]:
    """The labels of a listed object, wherever the API has them."""
    labels: Mapping[str, str] | None = listed.get("Labels") or (listed.get("Spec") or {}).get("Labels")
    return labels or {}


def is_task(container: Json) -> bool:
    """Whether a listed container is a task of a Swarm service.

    The Swarm's, not the plays'.
    """
    return TASK_ID in labels_of(container)


def service_of(task: Json) -> str:
    """The service whose task a listed container is."""
    return str(labels_of(task).get(SERVICE, ""))


def service_id(task: Json) -> str:
    """The id of that service."""
    return str(labels_of(task).get(SERVICE_ID, ""))


def ask_engine(host: Host, names: Iterable[str]) -> dict[str, Any]:
    """What the engine lists under `names`, and says of itself.

    Raises ClusterlabError when it does not answer.
    """
    with engine(host, "ask the engine", remedy="Run `clusterlab provision`.") as api:
        return {name: LISTINGS[name](api) for name in dict.fromkeys(("info", *names))}

"""What the cluster itself uses, which no inventory says.

Exports that its volumes mount, registries of its images, and the nodes on which tasks run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from clusterlab.checks.kinds.registry import registry_of
from clusterlab.errors import ClusterlabError
from clusterlab.model.inventory import Inventory
from clusterlab.parallel import parallel, results_of
from clusterlab.remote import Host, Hosts
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.resources.base import LABEL_PLAY

from .names import PLAY

_FROM_REGISTRY = re.compile(r"@sha256:[0-9a-f]{64}$")  # which managers add to what they found in a registry
Json = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Export:
    """An export with the options of the volume that mounts it.

    `of` is one such volume.
    """

    type: str
    o: str
    device: str
    of: str

    @property
    def options(self) -> dict[str, str]:
        return {"type": self.type, "o": self.o, "device": self.device}

    @property
    def server(self) -> str:
        """What `addr=` names, or what stands before the path."""
        found = re.search(r"\baddr=([^,]+)", self.o)
        return found[1] if found else self.device.partition(":")[0]

    @property
    def path(self) -> str:
        return self.device.partition(":")[2]

    @property
    def shown(self) -> str:
        """Path and server, as a title has it."""
        return f"{self.path} of {self.server}"


@dataclass(frozen=True)
class Seen:
    """What was found.

    `images` has one image of each registry that services use, `idle` the active nodes without any task, `silent` why
    nodes could not be asked.
    """

    exports: tuple[Export, ...] = ()
    images: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


def survey(hosts: Hosts, inventory: Inventory) -> Seen:
    """List the volumes of every node, and services and tasks through the managers.

    A node that does not answer is passed over. Raises ClusterlabError when no manager answers.
    """
    nodes, managers = inventory.swarm_hosts, inventory.with_role("swarm_manager")
    of_nodes, silent = answers(nodes, parallel(lambda name: _node(hosts[name]), nodes, name="volumes"))
    found = parallel(lambda name: _swarm(hosts[name]), managers, name="services")
    of_managers = list(answers(managers, found)[0].values()) or results_of(found)
    services = [one for listed, _ in of_managers for one in listed]
    free = {node for _, listed in of_managers for node in listed}
    volumes = [one for _, listed in of_nodes.values() for one in listed]
    idle = tuple(name for name, (node, _) in of_nodes.items() if node in free)
    return Seen(tuple(exports([*volumes, *_volumes_of(services)])), tuple(images(services)), idle, silent)


def answers(names: Sequence[str], found: Sequence[T | ClusterlabError]) -> tuple[dict[str, T], tuple[str, ...]]:
    """What each of `names` answered, and why others did not."""
    named = dict(zip(names, found, strict=True))
    silent = tuple(one.message for one in named.values() if isinstance(one, ClusterlabError))
    return {name: one for name, one in named.items() if not isinstance(one, ClusterlabError)}, silent


def exports(volumes: Iterable[Json]) -> Iterator[Export]:
    """Each export once, with the options of the first volume that mounts it.

    Exports of the test itself are left out.
    """
    known: set[tuple[str, str]] = set()
    for volume in volumes:
        options = {str(key).lower(): str(value) for key, value in (volume.get("Options") or {}).items()}
        ours = (volume.get("Labels") or {}).get(LABEL_PLAY) == PLAY
        if ours or volume.get("Driver") != "local" or options.get("type") not in ("nfs", "nfs4"):
            continue
        found = Export(options["type"], options.get("o", ""), options.get("device", ""), str(volume["Name"]))
        if (found.o, found.device) not in known:
            known.add((found.o, found.device))
            yield found


def images(services: Iterable[Json]) -> list[str]:
    """One image for each registry: the first by name."""
    found: dict[str, str] = {}
    for image in sorted(str(one["Spec"]["TaskTemplate"].get("ContainerSpec", {}).get("Image")) for one in services):
        if _FROM_REGISTRY.search(image):
            found.setdefault(registry_of(image), _FROM_REGISTRY.sub("", image))
    return list(found.values())


def _node(host: Host) -> tuple[str, Sequence[Json]]:
    """The id of a node, and its volumes."""
    with engine_errors(host, "list the volumes"):
        return str(host.docker.info()["Swarm"]["NodeID"]), host.docker.volumes()["Volumes"] or []


def _swarm(host: Host) -> tuple[Sequence[Json], set[str]]:
    """The services, and the ids of active nodes on which no task runs or will run."""
    with engine_errors(host, "list the services, tasks and nodes"):
        services: Sequence[Json] = host.docker.services()  # type: ignore[no-untyped-call]
        tasks: Sequence[Json] = host.docker.tasks(filters={"desired-state": ["running", "accepted"]})  # type: ignore[no-untyped-call]
        active = {str(one["ID"]) for one in host.docker.nodes() if one["Spec"]["Availability"] == "active"}
        return services, active - {str(one.get("NodeID") or "") for one in tasks}


def _volumes_of(services: Iterable[Json]) -> Iterator[Json]:
    """The volumes that tasks create where they run, as listings of volumes have them."""
    for service in services:
        for mount in service["Spec"]["TaskTemplate"].get("ContainerSpec", {}).get("Mounts") or []:
            driver = (mount.get("VolumeOptions") or {}).get("DriverConfig") or {}
            name = str(mount.get("Source") or service["Spec"]["Name"])
            yield {"Name": name, "Driver": driver.get("Name") or "local", "Options": driver.get("Options")}

"""What the cluster itself uses, which no inventory says.

Exports that its volumes mount, registries of its images.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clusterlab.checks.kinds.registry import registry_of
from clusterlab.model.inventory import Inventory
from clusterlab.parallel import parallel, results_of
from clusterlab.remote import Host, Hosts
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.resources.base import LABEL_PLAY

from .names import PLAY

_FROM_REGISTRY = re.compile(r"@sha256:[0-9a-f]{64}$")  # which managers add to what they found in a registry
Json = Mapping[str, Any]


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
    """What was found: `images` has one image of each registry that services use."""

    exports: tuple[Export, ...] = ()
    images: tuple[str, ...] = ()


def survey(hosts: Hosts, inventory: Inventory) -> Seen:
    """List the volumes of every node, and the services through the managers."""
    nodes = [hosts[name] for name in inventory.swarm_hosts]
    managers = [hosts[name] for name in inventory.with_role("swarm_manager")]
    volumes = [one for found in results_of(parallel(_volumes, nodes, name="volumes")) for one in found]
    services = [one for found in results_of(parallel(_services, managers, name="services")) for one in found]
    return Seen(tuple(exports([*volumes, *_volumes_of(services)])), tuple(images(services)))


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


def _volumes(host: Host) -> Sequence[Json]:
    with engine_errors(host, "list the volumes"):
        found: Sequence[Json] = host.docker.volumes()["Volumes"] or []
        return found


def _services(host: Host) -> Sequence[Json]:
    with engine_errors(host, "list the services"):
        found: Sequence[Json] = host.docker.services()  # type: ignore[no-untyped-call]
        return found


def _volumes_of(services: Iterable[Json]) -> Iterator[Json]:
    """The volumes that tasks create where they run, as listings of volumes have them."""
    for service in services:
        for mount in service["Spec"]["TaskTemplate"].get("ContainerSpec", {}).get("Mounts") or []:
            driver = (mount.get("VolumeOptions") or {}).get("DriverConfig") or {}
            name = str(mount.get("Source") or service["Spec"]["Name"])
            yield {"Name": name, "Driver": driver.get("Name") or "local", "Options": driver.get("Options")}

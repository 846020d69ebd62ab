"""What stands on a Docker host: one command and at most six API requests, whatever the number of plays."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from clusterlab.remote import Host

from . import disk_state
from .engine_calls import engine
from .labels import is_ours

Json = Mapping[str, Any]
_TASK = "com.docker.swarm.task.id"
_SERVICE = "com.docker.swarm.service.name"


@dataclass(frozen=True)
class Stored:
    """What the engine keeps of one container on disk: API listings leave most of it out.

    `config` is config.v2.json (Config, State, NetworkSettings, ...), `host_config` hostconfig.json, which
    `docker update` changes.
    """

    config: Json = field(default_factory=dict)
    host_config: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Observed:
    """What one engine reports; objects by name, images as tag to id."""

    lab: str
    host: Host
    info: Json
    containers: Mapping[str, Json]
    volumes: Mapping[str, Json]
    networks: Mapping[str, Json]
    images: Mapping[str, str]
    image_digests: Mapping[str, tuple[str, ...]]  # by image id
    services: Mapping[str, Json]
    stored: Mapping[str, Stored]  # by container id; our containers only
    disks: Mapping[str, disk_state.Disk] = field(default_factory=dict)  # the lab's, by LUN

    @property
    def name(self) -> str:
        return self.host.name

    @property
    def manages_swarm(self) -> bool:
        return bool(self.info.get("Swarm", {}).get("ControlAvailable"))

    @property
    def containerd_images(self) -> bool:
        """Whether images are kept in containerd, where an image's id is its manifest's digest."""
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
    """A listed container's networks, by name."""
    return (container.get("NetworkSettings") or {}).get("Networks") or {}


def labels_of(labelled: Json) -> Mapping[str, str]:
    """The labels of a listed object; a service has them in its Spec."""
    return labelled.get("Labels") or (labelled.get("Spec") or {}).get("Labels") or {}


def is_task(container: Json) -> bool:
    """Whether a listed container is a task of a Swarm service: the Swarm makes and removes those."""
    return _TASK in labels_of(container)


def service_of(task: Json) -> str:
    """The service whose task a listed container is."""
    return str(labels_of(task).get(_SERVICE, ""))


def observe(host: Host, lab: str, *, disks: bool = False) -> Observed:
    """Ask the engine of `host`, but for its services, and the kernel for the lab's `disks`.

    Raises ClusterlabError when the engine does not answer.
    """
    with engine(host, "ask the engine", remedy="Run `clusterlab provision`.") as api:
        info = api.info()
        containers = {one["Names"][0].lstrip("/"): one for one in api.containers(all=True) if one.get("Names")}
        volumes = {one["Name"]: one for one in api.volumes().get("Volumes") or []}
        networks = {one["Name"]: one for one in api.networks()}
        images = api.images()
    ours = [one["Id"] for one in containers.values() if is_ours(lab, labels_of(one)) and not is_task(one)]
    stored, found = _from_files(host, str(info["DockerRootDir"]), ours, lab if disks else "")
    return Observed(
        lab=lab,
        host=host,
        info=info,
        containers=containers,
        volumes=volumes,
        networks=networks,
        images={tag: one["Id"] for one in images for tag in one.get("RepoTags") or []},
        image_digests={one["Id"]: tuple(one.get("RepoDigests") or ()) for one in images},
        services={},
        stored=stored,
        disks=found,
    )


def with_services(at: Observed) -> Observed:
    """The same with the Swarm's services, when the host manages one."""
    if not at.manages_swarm:
        return at
    with engine(at.host, "list the services") as api:
        return replace(at, services={one["Spec"]["Name"]: one for one in api.services(status=True)})


def _from_files(
    host: Host, root: str, ids: list[str], lab: str
) -> tuple[dict[str, Stored], dict[str, disk_state.Disk]]:
    """What one command says of containers and, when `lab` is given, of its disks; no command when there are neither."""
    script = _containers_script(root, ids) if ids else ""
    script += disk_state.question(lab) if lab else ""
    if not script:
        return {}, {}
    answer = host.run(script, timeout=120.0, check=True).stdout
    return _stored(answer), disk_state.disks(answer)


def _containers_script(root: str, ids: list[str]) -> str:
    folder = shlex.quote(f"{root}/containers")
    return (
        f"cd {folder} || exit 1\n"
        f"for id in {' '.join(map(shlex.quote, ids))}; do for file in config.v2 hostconfig; do\n"
        '  [ -r "$id/$file.json" ] || continue\n'
        '  printf "%s %s " "$id" "$file"; tr -d "\\n" < "$id/$file.json"; echo\n'
        "done; done\n"
    )


def _stored(answer: str) -> dict[str, Stored]:
    files: dict[str, dict[str, Json]] = {}
    for line in answer.splitlines():
        if line.startswith(disk_state.MARK):
            continue
        name, file, text = line.split(" ", 2)
        files.setdefault(name, {})[file] = json.loads(text)
    return {name: Stored(found.get("config.v2", {}), found.get("hostconfig", {})) for name, found in files.items()}

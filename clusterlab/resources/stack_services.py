"""Services of a stack.

Created and updated with the specs that `docker stack deploy` sends, and waited for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import docker
import requests

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.progress import Progress
from clusterlab.remote import Host
from clusterlab.stacks.images import parse_image
from clusterlab.stacks.service_specs import IMAGE, Spec, service_spec
from clusterlab.stacks.stack import Service, Stack

from .base import LABEL_LAB, Difference
from .deploying import Resolve
from .engine_calls import engine
from .observed import Observed, labels_of
from .ownership import with_owner
from .registry_login import login_header
from .service_converge import CONVERGE, converge_service
from .service_files import ids_by_name
from .spec_calls import send
from .stack_fields import Path, differences_of
from .stack_view import StackObject
from .swarm_jobs import wait_for_job

_SECOND = 10**9


def wanted_spec(stack: Stack, service: Service, image: str = "") -> Spec:
    """The spec of a service without ids.

    `image` is what the inventory has for its image.
    """
    spec = service_spec(stack, service, lambda kind, name: "")
    if image:
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = image
    return spec


def service_differences(
    spec: Spec, found: StackObject, networks: Mapping[str, str], digest: str = ""
) -> dict[Path, Difference]:
    """Every field of a service that is not as the stack has it.

    `networks` are the Swarm's by their id.

    `digest` is that of the image in its registry, where that was asked for.
    """
    listed = found.listed["Spec"]
    different = differences_of(spec, listed, networks)
    wanted, has = spec["TaskTemplate"]["ContainerSpec"]["Image"], listed["TaskTemplate"]["ContainerSpec"]["Image"]
    without_digest = has if "@" in wanted or has.startswith("sha256:") else has.partition("@")[0]
    if wanted != without_digest:
        different["TaskTemplate", "ContainerSpec", "Image"] = Difference("image", wanted, without_digest)
    elif digest and digest not in has:
        there = has.partition("@")[2] or "no digest"
        different["TaskTemplate", "ContainerSpec", "Image"] = Difference("image", f"{wanted}@{digest}", there)
    return different


def digest_of(host: Host, image: str) -> str:
    """The digest that an image has in its registry."""
    with engine(host, f"ask the registry for {image}") as api:
        found = api.inspect_distribution(image)
    return str(found["Descriptor"]["digest"])


class Deployment:
    """Creating and updating the services of one stack."""

    def __init__(
        self, at: Observed, stack: Stack, resolve: Resolve, registry_auth: bool, adopt: bool, progress: Progress
    ) -> None:
        self._at = at
        self._stack = stack
        self._resolve = resolve
        self._auth = registry_auth
        self._adopt = adopt
        self._progress = progress

    def create(self, service: Service, image: str) -> None:
        """Create a service, and wait until its tasks run."""
        name = self._stack.scoped(service.name)
        with engine(self._at.host, f"create service {name}") as api:
            spec = self._spec(api, service, image, {})
            if self._resolve != "never" and not image:
                self._pin(api, spec)
            send(api, "/services/create", spec, self._login(spec))
        self._wait(name, spec)

    def update(self, service: Service, image: str, found: StackObject) -> None:
        """Update a service, and wait until its tasks run.

        Raises HostError when it is no longer the lab's.
        """
        name = found.name
        with engine(self._at.host, f"update service {name}") as api:
            listed = api.inspect_service(found.id)
            if not (self._adopt or self._at.owns(listed)):
                raise HostError(self._at.name, f"service {name} is no longer of the lab {self._at.lab}: it stays")
            before = listed["Spec"]
            spec = self._spec(api, service, image, labels_of(listed))
            task = spec["TaskTemplate"]
            task["ForceUpdate"] = before["TaskTemplate"].get("ForceUpdate", 0)  # another one restarts the tasks
            same = spec["Labels"][IMAGE] == (before.get("Labels") or {}).get(IMAGE)
            if not image and (self._resolve == "always" or (self._resolve == "changed" and not same)):
                self._pin(api, spec)
            elif not image and same and self._is_pinned_to(before, task["ContainerSpec"]["Image"]):
                task["ContainerSpec"]["Image"] = before["TaskTemplate"]["ContainerSpec"]["Image"]
                if platforms := (before["TaskTemplate"].get("Placement") or {}).get("Platforms"):
                    task.setdefault("Placement", {})["Platforms"] = platforms
            version = str(listed["Version"]["Index"])
            send(api, f"/services/{found.id}/update", spec, self._login(spec), version=version)
        self._wait(name, spec)

    def _spec(self, api: Any, service: Service, image: str, found: Mapping[str, str]) -> Spec:
        uses = {"config": service.configs or service.credential_spec, "secret": service.secrets}
        ids = ids_by_name(api, self._at.name, [kind for kind, found in uses.items() if found])
        spec = service_spec(self._stack, service, ids)
        if image:
            spec["TaskTemplate"]["ContainerSpec"]["Image"] = _local_id(api, image)
        labels = with_owner({**spec["Labels"], LABEL_LAB: self._at.lab}, found)
        return {"Name": self._stack.scoped(service.name), **_as_sent(spec), "Labels": labels}

    def _login(self, spec: Spec) -> Mapping[str, str]:
        return login_header(spec["TaskTemplate"]["ContainerSpec"]["Image"]) if self._auth else {}

    def _pin(self, api: Any, spec: Spec) -> None:
        """Have the image by the digest that its registry has now, and its platforms.

        Without an answer the tag stays.

        Source: resolveContainerSpecImage and toSwarmPlatforms of the engine's Go client.
        """
        task = spec["TaskTemplate"]
        image = task["ContainerSpec"]["Image"]
        if "@" in image:
            return
        try:
            found = api.inspect_distribution(image)
        except (docker.errors.APIError, requests.RequestException, ClusterlabError) as error:
            self._progress.say(self._at.name, f"image {image} has no digest, each node takes what it finds: {error}")
            return
        task["ContainerSpec"]["Image"] = f"{image}@{found['Descriptor']['digest']}"
        if platforms := found.get("Platforms"):
            task.setdefault("Placement", {})["Platforms"] = [
                {"Architecture": "" if one["architecture"] == "arm" else one["architecture"], "OS": one["os"]}
                for one in platforms
            ]

    def _is_pinned_to(self, before: Spec, image: str) -> bool:
        """Whether a service has the image by a digest.

        The tag alone must then not make another image of it.
        """
        has = str(before["TaskTemplate"]["ContainerSpec"]["Image"])
        return has.partition("@")[0] == parse_image(image).familiar

    def _wait(self, name: str, spec: Spec) -> None:
        if any(key.endswith("Job") for key in spec["Mode"]):
            wait_for_job(self._at.host, name)
        else:
            converge_service(self._at.host, name, CONVERGE + _update_seconds(spec))


def _as_sent(spec: Spec) -> Spec:
    """A spec with the empty parts that Docker's client sends.

    The Swarm takes a missing one for a change of the tasks.

    Source: Service in service.go, and handleVolumeToMount in volume.go of docker/cli's converter.
    """
    task = {"Resources": {}, "Placement": {}, **spec["TaskTemplate"]}
    container = {"Privileges": {}, **task["ContainerSpec"]}
    if "Mounts" in container:
        container["Mounts"] = [
            {"VolumeOptions": {}, **one} if one["Type"] == "volume" and "Source" in one else one
            for one in container["Mounts"]
        ]
    return {"EndpointSpec": {}, **spec, "TaskTemplate": {**task, "ContainerSpec": container}}


def _local_id(api: Any, tag: str) -> str:
    return str(api.inspect_image(tag)["Id"])


def _update_seconds(spec: Spec) -> float:
    """How long the pauses of an update take, and the watching after it."""
    config = spec.get("UpdateConfig") or {}
    replicas = ((spec["Mode"].get("Replicated") or {}).get("Replicas")) or 1
    rounds = math.ceil(replicas / (config.get("Parallelism", 1) or replicas or 1))
    return rounds * float(config.get("Delay", 0) + config.get("Monitor", 5 * _SECOND)) / _SECOND

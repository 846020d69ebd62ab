"""Images: the same one on every host, whatever it comes from, under a tag of this lab.

The tag `clusterlab/LAB/NAME:...` marks an image as ours, for images cannot be labelled without becoming other
images. It ends with the image's short id, so that it never means two images; for one that the hosts pull,
whose id is not known beforehand, with a hash of the reference. A pulled image that was on the host before also
gets a tag `...-found`: `clean` then leaves it there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker

from clusterlab.build.container_image import Extras, built_image
from clusterlab.build.image_archive import ImageArchive, read_image_archive
from clusterlab.errors import HostError, UsageError
from clusterlab.model.inventory import Image
from clusterlab.model.kinds import kinds
from clusterlab.model.lab import Lab
from clusterlab.progress import Progress
from clusterlab.remote import Host

from .base import Change, Difference, Key
from .engine_calls import engine, shell
from .labels import spec_hash
from .observed import Observed
from .scope import Scope

_CHUNK = 256 * 1024
_FOUND = "-found"


def repository(lab: str, name: str) -> str:
    """The repository part of an image's tag: lower case, as engines demand."""
    return f"clusterlab/{lab}/{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-') or 'image'}"


def is_ours_tag(lab: str, tag: str) -> bool:
    return tag.startswith(f"clusterlab/{lab}/")


@dataclass
class WantedImage:
    """An image that plays use. Exactly one of `archive` and `reference` is there.

    `digest` and `id` of a pulled image are learned from the first host that has it, also while changes are
    carried out: the others wait for that one.
    """

    name: str
    tag: str
    archive: ImageArchive | None = None
    reference: str = ""
    digest: str = field(default="", compare=False)
    id: str = field(default="", compare=False)


def wanted_images(lab: Lab, progress: Progress) -> dict[str, WantedImage]:
    """Every image that the plays use, by the inventory's name; builds those that are not in the cache."""
    return {name: _wanted(lab, name, lab.inventory.images[name], progress) for name in image_hosts(lab)}


def _wanted(lab: Lab, name: str, image: Image, progress: Progress) -> WantedImage:
    base = repository(lab.name, name)
    if image.pull:
        return WantedImage(name, f"{base}:pull-{spec_hash(image.pull)}", reference=image.pull)
    if image.build:
        archive = built_image(image.build, lab.inventory.release, progress, _extras(image))
    else:
        archive = read_image_archive(_file(lab, name, image.archive))
    return WantedImage(name, f"{base}:{archive.short_id}", archive)


def _extras(image: Image) -> Extras:
    user, uid = (image.user.name, image.user.uid) if image.user else ("", 0)
    return Extras(user, uid, tuple(image.volumes))


def _file(lab: Lab, name: str, path: Path | None) -> Path:
    if path is None:
        raise UsageError(f"image {name} has none of build, pull and archive")
    file = lab.folder / path.expanduser()
    if not file.is_file():
        raise UsageError(f"image {name}: there is no file {file}", remedy=f"Make it: docker save -o {file} IMAGE")
    return file


def image_hosts(lab: Lab) -> dict[str, list[str]]:
    """On which hosts each image is needed: those of its containers and runs, and for services all of the Swarm."""
    needed: dict[str, set[str]] = {}
    swarm = set(lab.inventory.with_role("swarm_manager", "swarm_worker"))
    for play in lab.plays.values():
        for container in play.containers.values():
            needed.setdefault(container.image, set()).add(container.host)
        for service in play.services.values():
            needed.setdefault(service.image, set()).update(swarm)
        for check in play.checks:
            for _, kind, probe in check.probes():
                for image in kinds()[kind].touches(probe).images:
                    needed.setdefault(image, set()).update(kinds()[kind].hosts(probe, lab, play))
    return {image: [host for host in lab.inventory.hosts if host in hosts] for image, hosts in needed.items()}


def tag_of(lab: Lab, name: str, progress: Progress) -> str:
    """The tag by which hosts know an image of the inventory, whether plays use it or not."""
    return _wanted(lab, name, lab.inventory.images[name], progress).tag


def tag_on(scope: Scope, image: str) -> str:
    """The tag by which hosts know an image, and containers are created."""
    return scope.images[image].tag


def image_changes(scope: Scope, progress: Progress) -> list[Change]:
    """What brings the images that the plays use to the hosts that need them."""
    changes: list[Change] = []
    for name, hosts in image_hosts(scope.lab).items():
        image = scope.images[name]
        needed = [scope.observed[host] for host in hosts if scope.answers(Key(host, "image", name))]
        if image.archive:
            changes += [change for at in needed for change in _loaded(at, image, image.archive, progress)]
        else:
            changes += _pulled(needed, image, progress)
    return changes


def _loaded(at: Observed, image: WantedImage, archive: ImageArchive, progress: Progress) -> list[Change]:
    found = at.images.get(image.tag, "")
    unknown = at.containerd_images and not archive.manifest_id  # the engine gives it an id of its own
    if found and (found in archive.ids or unknown):
        return []
    reason = "its tag is on another image" if found else "it is not there"
    load = ["docker", "load", "--input", archive.path.name]
    tag = ["docker", "tag", expected_id(at, image), image.tag]
    return [
        Change(
            key=Key(at.name, "image", image.name),
            action="replace" if found else "create",
            reason=reason,
            command=shell(load, tag),
            carry_out=lambda: _load(at.host, image, archive, progress),
            differences=(Difference("id", archive.config_id, found),) if found else (),
        )
    ]


def expected_id(at: Observed, image: WantedImage) -> str:
    """The id by which an engine will know an image, or "" when that is seen only once it is there."""
    if image.archive is None:
        return image.id
    return (image.archive.manifest_id if at.containerd_images else "") or image.archive.config_id


def coming_id(scope: Scope, at: Observed, name: str, pending: Mapping[Key, Change]) -> str:
    """The id that an image has on the host once `pending` changes are made; "" when that is seen only then."""
    image = scope.images[name]
    there = "" if Key(at.name, "image", name) in pending else at.images.get(image.tag, "")
    return there or expected_id(at, image)


def _load(host: Host, image: WantedImage, archive: ImageArchive, progress: Progress) -> None:
    with progress.task(host.name, f"load image {image.name}") as task, engine(host, f"load image {image.name}") as api:
        size = archive.path.stat().st_size

        def chunks() -> Iterator[bytes]:
            sent = 0
            with archive.path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
                    sent += len(chunk)
                    task.update(f"{sent / 1e6:.1f} of {size / 1e6:.1f} MB")

        said = _followed(host, f"load image {image.name}", api.load_image(chunks()))
        loaded = next((one for one in sorted(archive.ids) if _has(api, one)), "") or _loaded_name(said)
        if not loaded:
            raise HostError(host.name, f"image {image.name} was loaded and is not there", detail=said)
        repo, _, tag = image.tag.rpartition(":")
        api.tag(loaded, repo, tag, force=True)


def _loaded_name(said: str) -> str:
    match = re.search(r"Loaded image(?: ID)?: (\S+)", said)
    return match[1] if match else ""


def _pulled(needed: list[Observed], image: WantedImage, progress: Progress) -> list[Change]:
    """The first host that has it says which image it is; if none has, the first asks the registry, the others wait."""
    having = [at for at in needed if image.tag in at.images]
    if having:
        image.id = having[0].images[image.tag]
        image.digest = next(iter(having[0].image_digests.get(image.id, ())), "")
    first = "" if having or not needed else needed[0].name
    changes: list[Change] = []
    for at in needed:
        found = at.images.get(image.tag, "")
        if found and found == image.id:
            continue
        source = image.digest or image.reference
        waits = bool(first) and at.name != first
        changes.append(
            Change(
                key=Key(at.name, "image", image.name),
                action="replace" if found else "create",
                reason=f"another image than on {having[0].name}" if found else "it is not there",
                command=shell(["docker", "pull", source], ["docker", "tag", source, image.tag]),
                carry_out=lambda at=at: _pull(at.host, image, progress),  # type: ignore[misc]
                differences=(Difference("id", image.id, found),) if found else (),
                needs=frozenset({Key(first, "image", image.name)} if waits else set[Key]()),
            )
        )
    return changes


def _pull(host: Host, image: WantedImage, progress: Progress) -> None:
    """Pull by digest, so that no name but ours is left; one that was there before gets a mark that keeps it."""
    doing = f"pull image {image.reference}"
    remedy = f"{host.name} must reach the registry; without one use `build:` or `archive:` in the inventory's images."
    with progress.task(host.name, doing), engine(host, doing, remedy=remedy) as api:
        if not image.digest:
            image.digest = _resolved(api, image.reference)
        was_there = _has(api, image.digest)
        if not was_there:
            _followed(host, doing, api.pull(image.digest, stream=True, decode=True), remedy)
        found = str(api.inspect_image(image.digest)["Id"])
        if image.id and found != image.id:
            raise HostError(
                host.name,
                f"image {image.name} is {found} here and {image.id} on the first host",
                remedy="The engines differ in architecture or in how they keep images: use the same engine everywhere.",
            )
        image.id = found
        repo, _, tag = image.tag.rpartition(":")
        api.tag(found, repo, tag, force=True)
        if was_there:
            api.tag(found, repo, tag + _FOUND, force=True)


def _resolved(api: Any, reference: str) -> str:
    """A reference by digest, as the registry has it now."""
    if "@" in reference:
        return reference
    folder, slash, last = reference.rpartition("/")
    digest = api.inspect_distribution(reference)["Descriptor"]["digest"]
    return f"{folder}{slash}{last.partition(':')[0]}@{digest}"


def _followed(host: Host, doing: str, stream: Any, remedy: str = "") -> str:
    """Read an engine's progress to its end; raises HostError when it tells an error there."""
    said: list[str] = []
    for line in stream:
        if "error" in line:
            raise HostError(host.name, f"cannot {doing}: {line['error']}", remedy=remedy)
        said.append(str(line.get("stream") or line.get("status") or ""))
    return "".join(said)


def _has(api: Any, image: str) -> bool:
    try:
        api.inspect_image(image)
    except docker.errors.ImageNotFound:
        return False
    return True


def image_removals(at: Observed, lab: str, needs: frozenset[Key]) -> list[Change]:
    """The changes that remove the lab's images from a host; one that something else uses keeps its other names."""
    changes = []
    for tag, image_id in at.images.items():
        if not is_ours_tag(lab, tag):
            continue
        users = sorted(n for n, c in at.containers.items() if c["ImageID"] == image_id and not at.owns(c))
        other = any(image == image_id for name, image in at.images.items() if name != tag)
        blocked = (
            f"container {', '.join(users)} on {at.name}, which clusterlab did not make, uses it"
            if users and not other
            else ""
        )
        changes.append(
            Change(
                key=Key(at.name, "image", tag),
                action="remove",
                reason="it was brought here for this lab",
                command=shell(["docker", "rmi", tag]),
                carry_out=lambda tag=tag, image_id=image_id: _remove(at, tag, image_id),  # type: ignore[misc]
                needs=needs,
                blocked=blocked,
            )
        )
    return changes


def _remove(at: Observed, tag: str, image_id: str) -> None:
    """Remove a tag of ours; of an image that was pulled for us, its digest goes, too."""
    pulled_for_us = ":pull-" in tag and not tag.endswith(_FOUND) and tag + _FOUND not in at.images
    with engine(at.host, f"remove image {tag}") as api:
        try:
            api.remove_image(tag)
            if pulled_for_us and not api.inspect_image(image_id).get("RepoTags"):
                api.remove_image(image_id)
        except docker.errors.ImageNotFound:
            return

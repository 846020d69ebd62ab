"""Which images the plays use, on which hosts, and under which tags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from clusterlab.build.container_image import Extras, built_image
from clusterlab.build.image_archive import ImageArchive, read_image_archive
from clusterlab.errors import UsageError
from clusterlab.model.inventory import Image
from clusterlab.model.kinds import kinds
from clusterlab.model.lab import Lab
from clusterlab.model.reserved import is_reserved, shown
from clusterlab.progress import Progress

from .labels import spec_hash


@dataclass(frozen=True)
class WantedImage:
    """An image that plays use. Exactly one of `archive` and `reference` is set."""

    name: str
    tag: str
    archive: ImageArchive | None = None
    reference: str = ""


def repository(lab: str, name: str) -> str:
    """The repository part of an image's tag: lower case, as engines demand.

    A reserved name has one of its own.
    """
    own = "clusterlab/" if is_reserved(name) else ""
    return f"clusterlab/{lab}/{own}{re.sub(r'[^a-z0-9]+', '-', shown(name).lower()).strip('-') or 'image'}"


def is_ours_tag(lab: str, tag: str) -> bool:
    return tag.startswith(f"clusterlab/{lab}/")


def wanted_images(lab: Lab, progress: Progress) -> dict[str, WantedImage]:
    """Every image that the plays use, by the inventory's name.

    Builds those that are not in the cache.
    """
    return {name: _wanted(lab, name, lab.inventory.images[name], progress) for name in image_hosts(lab)}


def tag_of(lab: Lab, name: str, progress: Progress) -> str:
    """The tag by which hosts know an image of the inventory.

    Whether plays use it or not.
    """
    return _wanted(lab, name, lab.inventory.images[name], progress).tag


def image_hosts(lab: Lab) -> dict[str, list[str]]:
    """On which hosts each image is needed.

    Those of its containers and runs, and for services all of the Swarm.

    A stack's reference is one of these where the inventory has an image of that name.
    """
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
    for loaded in lab.stacks.values():
        for of_stack in loaded.valid().services.values():
            if of_stack.image and of_stack.image.value in lab.inventory.images:
                needed.setdefault(of_stack.image.value, set()).update(swarm)
    return {image: [host for host in lab.inventory.hosts if host in hosts] for image, hosts in needed.items()}


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
        raise UsageError(f"image {name}: there is no file {file}", remedy=f"Create it: docker save -o {file} IMAGE")
    return file

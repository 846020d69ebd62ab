"""Containers that checks create, exactly as `apply` would create them."""

from __future__ import annotations

from collections.abc import Sequence

import docker.errors

from clusterlab.errors import ClusterlabError
from clusterlab.model.playbook import Container
from clusterlab.model.short_syntax import parse_mount
from clusterlab.progress import Silent
from clusterlab.resources.container_body import WantedContainer, wanted_container
from clusterlab.resources.removal import remove_container
from clusterlab.resources.wanted_images import tag_of

from .place import NoAnswer, Place, WrongAnswer
from .places import Places


def wanted(places: Places, name: str, container: Container, image: str) -> WantedContainer:
    """What the engine is sent to create a container of the play.

    `image` is a tag that its host has.
    """
    return wanted_container(places.lab.name, places.play_name, name, container, image)


def image_on(places: Places, place: Place, image: str) -> str:
    """The tag by which a host has an image of the inventory.

    Raises WrongAnswer when it has not.
    """
    tag = tag_of(places.lab, image, Silent())
    with places.engine(place.host) as engine:
        try:
            engine.inspect_image(tag)  # type: ignore[no-untyped-call]
        except docker.errors.ImageNotFound as error:
            raise WrongAnswer(
                f"there is no image {image} on {place.host}",
                command=f"docker image inspect {tag}",
                remedy="`clusterlab apply` loads it",
            ) from error
    return tag


def require_volumes(places: Places, place: Place, mounts: Sequence[str]) -> None:
    """Raise WrongAnswer when a volume is missing.

    The engine would silently create another one of that name.
    """
    with places.engine(place.host) as engine:
        for name in [one.source for one in map(parse_mount, mounts) if one.type == "volume"]:
            try:
                engine.inspect_volume(name)
            except docker.errors.NotFound as error:
                raise WrongAnswer(
                    f"there is no volume {name} on {place.host}",
                    command=f"docker volume inspect {name}",
                    remedy="`clusterlab apply` creates it",
                ) from error


def remove(places: Places, place: Place, name: str) -> None:
    """Remove a container of a check, with its anonymous volumes.

    Raises NoAnswer when it cannot be removed.
    """
    try:
        remove_container(places.hosts[place.host], name)
    except ClusterlabError as error:
        raise NoAnswer(
            f"container {name} could not be removed: {error.message}",
            command=f"docker rm --force --volumes {name}",
            remedy="`clusterlab clean` removes it",
            detail=error.detail,
        ) from error

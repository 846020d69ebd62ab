"""Where things stand: hosts, roles and images that plays name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..problems import Problem, listed, near_misses, suggest
from ..source import KeyPath
from .files import Files, PlayFile, item


def problems(files: Files) -> Iterator[Problem]:
    for file in files.plays.values():
        for section, things in (("volumes", file.play.volumes), ("networks", file.play.networks)):
            for name, thing in things.items():
                if thing.hosts or section == "volumes":
                    yield from _docker_hosts(
                        files, file, (section, name, "hosts"), thing.hosts, getattr(thing, "driver", "")
                    )
        yield from _instances(files, file)
        for name, container in file.play.containers.items():
            yield from container_host(files, file, ("containers", name), container.host)
            yield from image_there(files, file, ("containers", name, "image"), container.image)
        for name, service in file.play.services.items():
            yield from image_there(files, file, ("services", name, "image"), service.image)


def named_hosts(files: Files, file: PlayFile, path: KeyPath, places: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with a list of hosts and roles."""
    for index, place in enumerate(places):
        where = item(file.document, path, index)
        if file.play.host_of(place) and place not in files.places:
            yield file.problem(
                where, f"'{place}' is a container, not a host", "Containers belong in in:, hosts and roles in on:."
            )
        elif place not in files.places:
            yield file.problem(
                where, f"unknown host or role '{place}'", suggest(place, files.places, "Hosts and roles")
            )


def _docker_hosts(files: Files, file: PlayFile, path: KeyPath, places: Sequence[str], driver: str) -> Iterator[Problem]:
    if driver == "overlay":
        return
    if not places:
        yield file.problem(path, "the list of hosts is empty", "Name hosts or a role, or leave hosts out.")
    yield from named_docker_hosts(files, file, path, places)


def named_docker_hosts(files: Files, file: PlayFile, path: KeyPath, places: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with a list of hosts and roles that must all be Docker hosts."""
    yield from named_hosts(files, file, path, places)
    for index, place in enumerate(places):
        others = [host for host in files.expand([place]) if host not in files.inventory.docker_hosts]
        if others:
            yield file.problem(
                item(file.document, path, index), f"{listed(others)} is not a Docker host", _docker_hosts_are(files)
            )


def _instances(files: Files, file: PlayFile) -> Iterator[Problem]:
    """What the names of containers on several hosts collide with.

    Those of each instance, too.
    """
    for group, instances in file.play.instances.items():
        path: KeyPath = ("containers", group)
        if group in files.inventory.hosts:
            remedy = "Rename the container: a name identifies one place in a play."
            yield file.problem(path, f"'{group}' is already a host of this lab", remedy, key=True)
        for host, name in instances.items():
            if ("containers", name) in file.document.keys:
                there = file.place_of(("containers", name))
                message = f"the one on {host} is called '{name}', as another container of this play ({there})"
                yield file.problem(path, message, "Rename one of the two.", key=True)


def container_host(files: Files, file: PlayFile, container: KeyPath, host: str) -> Iterator[Problem]:
    """What is wrong with the host of a container, and with its name."""
    path, name = (*container, "host"), container[-1]
    if host not in files.inventory.hosts:
        remedy = suggest(host, files.inventory.hosts, "Hosts")
        if host in files.places:
            remedy = f"A container runs on one host. {remedy}"
        yield file.problem(path, f"unknown host '{host}'", remedy)
    elif host not in files.inventory.docker_hosts:
        yield file.problem(path, f"'{host}' is not a Docker host", _docker_hosts_are(files))
    if name in files.inventory.hosts:
        remedy = "Rename the container: a name identifies one place in a play."
        yield file.problem(container, f"'{name}' is already a host of this lab", remedy, key=True)


def _docker_hosts_are(files: Files) -> str:
    found = files.inventory.docker_hosts
    return (
        f"Give it the role docker. Docker hosts are {listed(found)}." if found else "No host has the role docker yet."
    )


def image_there(files: Files, file: PlayFile, path: KeyPath, image: str) -> Iterator[Problem]:
    """What is wrong with the name of an image."""
    if image in files.inventory.images:
        return
    known = files.inventory.images
    remedy = suggest(image, known, "Images")
    if not near_misses(image, known):
        remedy = f'{remedy} Or add to images of {files.document.file}: NAME: {{pull: "{image}"}}'.strip()
    yield file.problem(path, f"the inventory has no image '{image}'", remedy)

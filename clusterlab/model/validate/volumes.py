"""Volumes of containers and services, and containers that volumes come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..long_forms import LongMount
from ..problems import Problem, listed, suggest
from ..short_syntax import parse_mount
from ..source import KeyPath
from .files import Files, PlayFile, item


def problems(files: Files) -> Iterator[Problem]:
    for file in files.plays.values():
        for name, container in file.play.containers.items():
            path: KeyPath = ("containers", name)
            yield from mounts_there(files, file, (*path, "volumes"), container.volumes, [container.host])
            where = (*path, "volumes_from")
            yield from sources_there(file, where, container.volumes_from, [container.host], name)
        for name, service in file.play.services.items():
            bound = bool(service.deploy.placement.constraints)
            hosts = [] if bound else files.inventory.swarm_hosts
            yield from mounts_there(files, file, ("services", name, "volumes"), service.volumes, hosts)


def mounts_there(
    files: Files, file: PlayFile, path: KeyPath, volumes: Sequence[str | LongMount], hosts: list[str]
) -> Iterator[Problem]:
    """What is wrong with mounts of containers on `hosts`.

    Unknown hosts are reported elsewhere.
    """
    for index, text in enumerate(volumes):
        mount = parse_mount(text)
        where = item(file.document, path, index)
        if mount.type != "volume":
            continue
        volume = file.play.volumes.get(mount.source)
        if volume is None:
            known = file.play.volumes
            remedy = suggest(mount.source, known, "Volumes") or "Add it under volumes: of this play."
            yield file.problem(where, f"this play has no volume '{mount.source}'", remedy)
            continue
        lacking = [
            host for host in hosts if host in files.inventory.docker_hosts and host not in files.expand(volume.hosts)
        ]
        if lacking:
            remedy = f"Add {listed(lacking)} to its hosts ({file.place_of(('volumes', mount.source, 'hosts'))})."
            yield file.problem(where, f"the volume '{mount.source}' is not on {listed(lacking)}", remedy)


def sources_there(
    file: PlayFile, path: KeyPath, volumes_from: list[str], hosts: list[str], name: str = ""
) -> Iterator[Problem]:
    """What is wrong with the containers that one takes volumes from.

    That one is on `hosts`, and is called `name`.
    """
    for index, text in enumerate(volumes_from):
        other, _, mode = text.partition(":")
        where = item(file.document, path, index)
        source = file.play.containers.get(other)
        if mode not in ("", "ro", "rw"):
            yield file.problem(where, f"'{text}' must be NAME, NAME:ro or NAME:rw")
        elif source is None:
            known = [known for known in file.play.containers if known != name]
            yield file.problem(where, f"this play has no container '{other}'", suggest(other, known, "Others"))
        elif other == name:
            yield file.problem(where, "a container cannot use its own volumes")
        elif elsewhere := [host for host in hosts if host != source.host]:
            message = f"'{other}' is on {source.host}, not on {listed(elsewhere)}: volumes must be on the same host"
            yield file.problem(where, message)

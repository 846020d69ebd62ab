"""One name, one thing.

None twice on a host, none as clusterlab calls its own, and no port published twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..problems import Problem, listed
from ..reserved import OBJECT_PREFIX
from ..short_syntax import PortMapping, parse_port
from ..source import KeyPath
from .files import Files, PlayFile, item

_OF_SWARM = ("configs", "secrets", "services")


class _Defined(NamedTuple):
    """Something that a play defines on some hosts."""

    file: PlayFile
    path: KeyPath
    hosts: list[str]


def problems(files: Files) -> Iterator[Problem]:
    yield from _reserved(files)
    yield from _twice(files)
    yield from _ports(files)


def _defined(files: Files) -> Iterator[_Defined]:
    everywhere = files.inventory.docker_hosts
    for file in files.plays.values():
        for name, disk in file.play.disks.items():
            yield _Defined(file, ("disks", name), [disk.host])
        for name, volume in file.play.volumes.items():
            yield _Defined(file, ("volumes", name), files.expand(volume.hosts))
        for name, network in file.play.networks.items():
            hosts = everywhere if network.driver == "overlay" else files.expand(network.hosts)
            yield _Defined(file, ("networks", name), hosts)
        for name, container in file.play.containers.items():
            yield _Defined(file, ("containers", name), [container.host])
        for section in _OF_SWARM:
            for name in getattr(file.play, section):
                yield _Defined(file, (section, name), everywhere)


def _reserved(files: Files) -> Iterator[Problem]:
    for new in _defined(files):
        if str(new.path[-1]).startswith(OBJECT_PREFIX):
            message = f"'{new.path[-1]}' cannot be created: clusterlab names its own objects {OBJECT_PREFIX}..."
            yield new.file.problem(new.path, message, "Choose another name.", key=True)


def _twice(files: Files) -> Iterator[Problem]:
    before: dict[KeyPath, list[_Defined]] = {}
    for new in _defined(files):
        for old in before.setdefault(new.path, []):
            common = [host for host in new.hosts if host in old.hosts]
            if common:
                section, name = new.path
                message = (
                    f"'{name}' is defined twice on {listed(common)}: by the play '{new.file.name}' here and "
                    f"by '{old.file.name}' ({old.file.place_of(old.path)})"
                )
                elsewhere = "" if section in _OF_SWARM else ", or put them on different hosts"
                remedy = f"Rename one of the two {section}{elsewhere}."
                yield new.file.problem(new.path, message, remedy, key=True)
        before[new.path].append(new)


def _published(files: Files) -> Iterator[tuple[_Defined, PortMapping]]:
    for file in files.plays.values():
        for name, container in file.play.containers.items():
            for index, port in enumerate(container.ports):
                path = item(file.document, ("containers", name, "ports"), index)
                yield _Defined(file, path, [container.host]), parse_port(port)
        for name, service in file.play.services.items():
            for index, published in enumerate(map(parse_port, service.ports)):
                path = item(file.document, ("services", name, "ports"), index)
                yield _Defined(file, path, files.inventory.swarm_hosts), published


def _ports(files: Files) -> Iterator[Problem]:
    before: list[tuple[_Defined, PortMapping]] = []
    for new, port in _published(files):
        if port.host_port is None:
            continue
        for old, other in before:
            common = [host for host in new.hosts if host in old.hosts]
            if common and _collide(new, port, old, other):
                what = f"port {port.host_port}/{port.protocol} of {listed(common)}"
                message = f"{what} is already published by the play '{old.file.name}' ({old.file.place_of(old.path)})"
                yield new.file.problem(new.path, message, "Choose another host port for one of them.")
        before.append((new, port))


def _collide(new: _Defined, one: PortMapping, old: _Defined, other: PortMapping) -> bool:
    """Whether two cannot be published side by side.

    A service that publishes on the nodes of its tasks alone leaves other nodes to containers, and to tasks of other
    services that do the same. Source: checkPortConflicts and validateEndpointSpec in swarmkit's manager/controlapi.
    """
    if (one.host_port, one.protocol) != (other.host_port, other.protocol):
        return False
    if "host" in (one.mode, other.mode):
        same_service = (new.file.name, new.path[:2]) == (old.file.name, old.path[:2])
        return new.path[0] == old.path[0] and (same_service or one.mode != other.mode)
    every = ("0.0.0.0", None)
    return one.address in every or other.address in every or one.address == other.address

"""What others created: the hosts that it is on."""

from __future__ import annotations

from collections.abc import Iterator

from ..problems import Problem
from .files import Files
from .places import container_host, named_docker_hosts


def problems(files: Files) -> Iterator[Problem]:
    for file in files.plays.values():
        external = file.play.external
        for name, container in external.containers.items():
            yield from container_host(files, file, ("external", "containers", name), container.host)
        for name, volume in external.volumes.items():
            yield from named_docker_hosts(files, file, ("external", "volumes", name, "hosts"), volume.hosts)
        for name, network in external.networks.items():
            yield from named_docker_hosts(files, file, ("external", "networks", name, "hosts"), network.hosts)

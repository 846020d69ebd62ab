"""What others created: the hosts that it is on, and the Swarm that services and networks need."""

from __future__ import annotations

from collections.abc import Iterator

from ..problems import Problem
from .files import Files, PlayFile
from .places import container_host, named_docker_hosts

_REMEDY = "Give a Docker host the role swarm_manager."


def problems(files: Files) -> Iterator[Problem]:
    for file in files.plays.values():
        external = file.play.external
        for name, container in external.containers.items():
            yield from container_host(files, file, ("external", "containers", name), container.host)
        for name, volume in external.volumes.items():
            yield from named_docker_hosts(files, file, ("external", "volumes", name, "hosts"), volume.hosts)
        for name, network in external.networks.items():
            yield from named_docker_hosts(files, file, ("external", "networks", name, "hosts"), network.hosts)
        if not files.inventory.with_role("swarm_manager"):
            yield from _swarm(file)


def _swarm(file: PlayFile) -> Iterator[Problem]:
    if file.play.external.services:
        yield file.problem(
            ("external", "services"), "services need a Swarm, and no host is swarm_manager", _REMEDY, key=True
        )
    for name, network in file.play.external.networks.items():
        if not network.hosts:
            yield file.problem(
                ("external", "networks", name),
                "without hosts it is a network of the Swarm, and no host is swarm_manager",
                f"Name its hosts with hosts:. {_REMEDY}",
                key=True,
            )

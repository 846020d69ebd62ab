"""The Swarm: who is in it, and what needs it."""

from __future__ import annotations

from collections.abc import Iterator

from ..problems import Problem
from .files import Files

_REMEDY = "Give a Docker host the role swarm_manager."


def problems(files: Files) -> Iterator[Problem]:
    if files.inventory.with_role("swarm_manager"):
        return
    for name, host in files.inventory.hosts.items():
        if "swarm_worker" in host.roles:
            path = ("hosts", name, "roles", host.roles.index("swarm_worker"))
            yield files.problem(path, "a swarm_worker has no Swarm to join: no host is swarm_manager", _REMEDY)
    for file in files.plays.values():
        for name, network in file.play.networks.items():
            if network.driver == "overlay":
                message = "an overlay network needs a Swarm, and no host is swarm_manager"
                yield file.problem(("networks", name, "driver"), message, _REMEDY)
        for name in file.play.services:
            message = "a service needs a Swarm, and no host is swarm_manager"
            yield file.problem(("services", name), message, _REMEDY, key=True)

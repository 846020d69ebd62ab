"""The Swarm: who is in it."""

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

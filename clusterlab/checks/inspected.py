"""What engines report of one object, by its kind, and the command that shows it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import docker
import docker.errors

from clusterlab.resources.swarm_tasks import running_tasks

from .place import Place, WrongAnswer
from .places import Places

_MISSING = {
    "network": "`clusterlab apply` creates it; on a Swarm worker an attachable overlay network is known only while a "
    "container there uses it"
}
COMMANDS = {"engine": "docker info", "volumes": "docker volume ls"}  # of what has no name
TASKS_COMMAND = ["docker", "service", "ps", "--filter", "desired-state=running"]

_ASK: dict[str, Callable[[docker.APIClient, str], Any]] = {
    "volume": lambda engine, name: engine.inspect_volume(name),
    "network": lambda engine, name: engine.inspect_network(name),
    "container": lambda engine, name: engine.inspect_container(name),
    "service": lambda engine, name: engine.inspect_service(name),  # type: ignore[no-untyped-call]
    "image": lambda engine, name: engine.inspect_image(name),  # type: ignore[no-untyped-call]
    "node": lambda engine, name: engine.inspect_node(name),
    "engine": lambda engine, name: engine.info(),
    "volumes": lambda engine, name: {one["Name"]: one for one in engine.volumes()["Volumes"] or []},
}


def report_of(kind: str, name: str, place: Place, places: Places) -> Any:
    """What is reported of it at a place; raises WrongAnswer when there is none, HostError when it cannot be asked."""
    if kind == "tasks":
        report_of("service", name, place, places)  # that there is none is a wrong answer, not an error
        return running_tasks(places.hosts[place.host], name, places.lab.inventory)
    with places.engine(place.host) as engine:
        try:
            return _ASK[kind](engine, name)
        except docker.errors.NotFound as error:
            raise WrongAnswer(
                f"there is no {kind} {name} on {place.host}",
                command=shell_command(kind, name),
                remedy=places.remedy(kind, name, _MISSING.get(kind, "`clusterlab apply` creates it")),
            ) from error


def shell_command(kind: str, name: str) -> str:
    """The command that shows a person the same."""
    if kind == "tasks":
        return shlex.join([*TASKS_COMMAND, name])
    return COMMANDS.get(kind) or f"docker {kind} inspect {shlex.quote(name)}"

"""Who may answer at the ports of hosts: containers, and tasks of services, by the host names that Docker gives them.

An open port shows only that something listens there. What prints its own host name proves who it is: nobody else knows
the id of a container that was just created.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import docker.errors

from clusterlab.docker_labels import SERVICE
from clusterlab.parallel import parallel, results_of

from .manual.where import Where
from .place import WrongAnswer
from .places import Places
from .swarm_task import service_of

PATH = "/cgi-bin/name"
_SHORT = 12  # characters of its id that are a container's host name, and that `docker ps` shows
_TASKS = "docker service ps --filter desired-state=running --quiet {}"
_ID = "docker inspect --format '{{{{slice .Status.ContainerStatus.ContainerID 0 {}}}}}' $({})"


def answering(
    names: Sequence[str], anywhere: bool, hosts: Sequence[str], places: Places
) -> Mapping[str, frozenset[str]]:
    """For each host, the host names of those that may answer there.

    They are on that host, unless they may be `anywhere`. Raises WrongAnswer for one that does not exist.
    """
    found = [
        pair for one in results_of(parallel(lambda name: _running(name, places), names, name="names")) for pair in one
    ]
    return {host: frozenset(name for at, name in found if anywhere or at == host) for host in hosts}


def looked_up(names: Sequence[str], anywhere: bool, host: str, where: Where) -> str:
    """Tokens for the host names of those that may answer at a host."""
    return " ".join(one for name in names if (one := _looked_up(name, anywhere, host, where)))


def _running(name: str, places: Places) -> list[tuple[str, str]]:
    """Host and host name of a container, or of every task of a service."""
    if name in places.play.known_services:
        return [(task.host, task.container[:_SHORT]) for task in service_of(name, places).tasks]
    place = places.container(name)
    with places.engine(place.host) as engine:
        try:
            return [(place.host, str(engine.inspect_container(name)["Id"])[:_SHORT])]
        except docker.errors.NotFound as error:
            command = f"docker inspect {name}"
            raise WrongAnswer(
                f"there is no container {name}", command=command, remedy=places.remedy("container", name)
            ) from error


def _looked_up(name: str, anywhere: bool, host: str, where: Where) -> str:
    if name not in where.play.known_services:
        at = where.container(name).host
        command = f"docker ps --quiet --filter name=^/{name}$"
        return where.looked_up(at, f"id of {name}", command) if anywhere or at == host else ""
    if anywhere:
        return where.looked_up(where.manager, f"tasks of {name}", _ID.format(_SHORT, _TASKS.format(name)))
    return where.looked_up(host, f"tasks of {name} on {host}", f"docker ps --quiet --filter label={SERVICE}={name}")

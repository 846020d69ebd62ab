"""What engines report of one object, by its kind, and the command that shows it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import docker.errors

from clusterlab.resources.kinds import RESOURCES
from clusterlab.resources.report import Report
from clusterlab.resources.swarm_tasks import running_tasks

from .place import Place, WrongAnswer
from .places import Places

TASKS_COMMAND = ["docker", "service", "ps", "--filter", "desired-state=running"]


def reports() -> Mapping[str, Report]:
    """Whatever a resource kind can be inspected for."""
    return {report.kind: report for kind in RESOURCES.values() for report in kind.reports}


def has_name(kind: str) -> bool:
    """Whether there are several, each with a name.

    There is one engine, and one list of its volumes.
    """
    return kind == "tasks" or not reports()[kind].command


def report_of(kind: str, name: str, place: Place, places: Places) -> Any:
    """What is reported of it at a place.

    Raises WrongAnswer when there is none, HostError when it cannot be asked.
    """
    if kind == "tasks":
        report_of("service", name, place, places)  # that there is none is a wrong answer, not an error
        return running_tasks(places.hosts[place.host], name, places.lab.inventory)
    report = reports()[kind]
    with places.engine(place.host) as engine:
        try:
            return report.read(engine, name)
        except docker.errors.NotFound as error:
            raise WrongAnswer(
                f"there is no {kind} {name} on {place.host}",
                command=shell_command(kind, name),
                remedy=places.remedy(kind, name, report.missing),
            ) from error


def shell_command(kind: str, name: str) -> str:
    """The command that shows a person the same."""
    if kind == "tasks":
        return shlex.join([*TASKS_COMMAND, name])
    return reports()[kind].command or f"docker {kind} inspect {shlex.quote(name)}"

"""inspect: a path in what the engines report of one object."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any, get_args

import docker
import docker.errors

from clusterlab.errors import UsageError
from clusterlab.model import Lab
from clusterlab.model.checks import InspectProbe
from clusterlab.model.inventory import Role
from clusterlab.model.playbook import Play
from clusterlab.resources.swarm_tasks import running_tasks
from clusterlab.results import Outcome

from .finding import Finding, ask_each, finding
from .matcher import describe, match, show
from .place import Place, Places, WrongAnswer
from .spec import image_on

_HINT = "`clusterlab plan` shows how it differs from the play"
_VOLUME_HINT = (
    "an engine keeps the options with which a volume was first made, and ignores others silently; "
    "`clusterlab plan` shows the difference and what mends it"
)
_MISSING = {
    "network": "`clusterlab apply` makes it; on a Swarm worker an attachable overlay network is known only while a "
    "container there uses it"
}
_COMMANDS = {"engine": "docker info", "volumes": "docker volume ls"}  # of what has no name
_TASKS = "docker service ps --filter desired-state=running"
_OUTPUT = 4000  # characters of what the engine reported that are kept as output

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


class NoSuchPath(Exception):
    """The report has nothing there; the message says how far the path leads and what is there."""


def ask(probe: InspectProbe, places: Places) -> list[Finding]:
    """The value at `path` must match on every host that is asked; with `same`, all must report the same."""
    kind, name = subject(probe)
    hosts = asked_hosts(probe, places.lab, places.play)
    if probe.same and len(hosts) < 2:
        raise UsageError(f"`same: true` compares hosts, and only {', '.join(hosts) or 'none'} has {kind} {name}")
    values: dict[str, object] = {}

    def one(place: Place) -> Finding:
        known_as = image_on(places, place, name) if kind == "image" else name
        report = _report(kind, known_as, place, places)
        try:
            values[place.host] = value = at(report, steps(probe.path))
        except NoSuchPath as error:
            return _found(place, kind, known_as, probe, report, holds=False, found=str(error))
        if probe.value is None:
            return _found(place, kind, known_as, probe, value, holds=True, found=show(value))
        compared = match(probe.value, value)
        return _found(place, kind, known_as, probe, value, holds=compared.holds, found=compared.found)

    findings = ask_each([Place(host) for host in hosts], told(probe, name), one)
    if probe.same and all(item.outcome is Outcome.PASS for item in findings):
        findings.append(_same(kind, name, probe, values))
    return findings


def subject(probe: InspectProbe) -> tuple[str, str]:
    """The kind and name of what is inspected; the engine and the list of its volumes have no name."""
    kind = probe.given(*probe.objects)[0]
    return kind, "" if kind in _COMMANDS else str(getattr(probe, kind))


def asked_hosts(probe: InspectProbe, lab: Lab, play: Play) -> list[str]:
    """Which hosts are asked: those of `on:`, or every host that should have the object."""
    inventory = lab.inventory
    if probe.on:
        unknown = set(probe.on) - set(inventory.hosts) - {"all", *get_args(Role)}
        if unknown:
            raise UsageError(f"{', '.join(sorted(unknown))}: no host and no role of the inventory")
        return lab.expand(probe.on)
    if probe.volume in play.volumes:
        return lab.expand(play.volumes[probe.volume].hosts)
    if probe.container in play.containers:
        return [play.containers[probe.container].host]
    if probe.network in play.networks:
        if play.networks[probe.network].driver != "overlay":
            return lab.expand(play.networks[probe.network].hosts)
        # An engine knows an attachable overlay network only while a container there uses it; a manager always does.
        users = {c.host for c in play.containers.values() if probe.network in c.networks}
        return [host for host in inventory.docker_hosts if host in users] or inventory.with_role("swarm_manager")[:1]
    if probe.service or probe.tasks or probe.node:
        return inventory.with_role("swarm_manager")[:1]
    return inventory.docker_hosts


def steps(path: str | list[str | int]) -> list[str]:
    """The keys of a path: joined by dots, or a list."""
    return path.split(".") if isinstance(path, str) else [str(key) for key in path]


def at(value: object, path: list[str]) -> object:
    """What lies at `path`; `*` takes every item and gives a list. Raises NoSuchPath."""
    for index, key in enumerate(path):
        if key == "*":
            if not isinstance(value, list | dict):
                raise NoSuchPath(f"{_joined(path[:index])} is {show(value)}: it has no items")
            items = value.values() if isinstance(value, dict) else value
            return [at(item, path[index + 1 :]) for item in items]
        value = _step(value, key, path[:index])
    return value


def _step(value: object, key: str, before: list[str]) -> object:
    if isinstance(value, dict):
        if key not in value:
            raise NoSuchPath(f"{_joined(before)} has no {key}: it has {', '.join(sorted(value)) or 'nothing'}")
        found: object = value[key]
        return found
    if isinstance(value, list) and key.isdigit():
        if int(key) >= len(value):
            raise NoSuchPath(f"{_joined(before)} has no item {key}: it has {len(value)}")
        item: object = value[int(key)]
        return item
    raise NoSuchPath(f"{_joined(before)} is {show(value)}: it has no {key}")


def _joined(path: list[str]) -> str:
    return ".".join(path) or "the report"


def _report(kind: str, name: str, place: Place, places: Places) -> Any:
    if kind == "tasks":
        _report("service", name, place, places)  # a service that is gone is a wrong answer, not one that failed to come
        return running_tasks(places.hosts[place.host], name, places.lab.inventory)
    with places.engine(place.host) as engine:
        try:
            return _ASK[kind](engine, name)
        except docker.errors.NotFound as error:
            raise WrongAnswer(
                f"there is no {kind} {name} on {place.host}",
                command=_command(kind, name),
                remedy=_MISSING.get(kind, "`clusterlab apply` makes it"),
            ) from error


def told(probe: InspectProbe, name: str) -> str:
    path = ".".join(steps(probe.path))
    parts = [describe(probe.value)] if probe.value is not None else []
    parts += ["is the same on every host"] if probe.same else []
    return f"{path} {', '.join(parts)}"


def _command(kind: str, name: str) -> str:
    if kind == "tasks":
        return f"{_TASKS} {shlex.quote(name)}"
    return _COMMANDS.get(kind) or f"docker {kind} inspect {shlex.quote(name)}"


def _found(
    place: Place, kind: str, name: str, probe: InspectProbe, shown: object, *, holds: bool, found: str
) -> Finding:
    return finding(
        place,
        _command(kind, name),
        holds=holds,
        wanted=told(probe, name),
        found=found,
        output=json.dumps(shown, indent=2, ensure_ascii=False, default=str)[:_OUTPUT],
        hint=_VOLUME_HINT if kind == "volume" else _HINT,
    )


def _same(kind: str, name: str, probe: InspectProbe, values: dict[str, object]) -> Finding:
    distinct = {json.dumps(value, sort_keys=True) for value in values.values()}
    return finding(
        ", ".join(sorted(values)),
        _command(kind, name),
        holds=len(distinct) == 1,
        wanted=told(probe, name),
        found="; ".join(f"{host}: {show(value)}" for host, value in sorted(values.items())),
        hint="hosts that report different things do not share the object: are they in the same Swarm?",
    )

"""What checks name: each probe as its kind says, and what actions change."""

from __future__ import annotations

from collections.abc import Iterator

from ..base import Model
from ..checks import Action, Connection
from ..faults import FaultModel, FaultParameters, fault_kinds
from ..kinds import kinds
from ..problems import Problem, suggest
from ..source import KeyPath
from .faults import service_problems
from .files import Files, PlayFile
from .networks import container_on
from .probes import names_exist, unknown_container, unknown_service


def problems(files: Files) -> Iterator[Problem]:
    for file in files.plays.values():
        for index, check in enumerate(file.play.checks):
            path: KeyPath = ("checks", index)
            for inner, kind, probe in check.probes():
                yield from kinds()[kind].problems(files, file, (*path, *inner), probe)
            for number, step in enumerate(check.steps):
                if step.do is not None:
                    yield from _action(files, file, (*path, "steps", number, "do"), step.do)
            for number, command in enumerate(check.finally_):
                yield from names_exist(files, file, (*path, "finally", number), command)


def _action(files: Files, file: PlayFile, path: KeyPath, action: Action) -> Iterator[Problem]:
    value = getattr(action, action.name)
    path = (*path, action.name)
    if action.breaks:
        if action.fault is not None:
            yield from _fault(files, file, path, fault_kinds()[action.name], value)
        return
    external = file.play.external
    if (action.container or "") in external.containers or (action.service or "") in external.services:
        noun, name = ("service", action.service) if action.service else ("container", action.container)
        inner = (*path, noun) if isinstance(value, Model) else path
        message = f"the {noun} '{name}' is external: clusterlab did not create it, so it is not changed"
        yield file.problem(inner, message, f"Act on a {noun} of the play, and leave external ones to probes.")
        return
    if action.service:
        yield from _service_action(file, path, action)
        return
    if action.drain is not None:
        yield from _drain(files, file, path, action.drain)
        return
    if not isinstance(value, Connection):
        if value not in file.play.containers and value not in file.play.instances:
            yield unknown_container(file, path, value)
        return
    for name in file.play.instances.get(value.container, {}).values() or [value.container]:
        yield from _connection(files, file, path, name, value)


def _fault(files: Files, file: PlayFile, path: KeyPath, kind: FaultModel, params: FaultParameters) -> Iterator[Problem]:
    if why := kind.unknown(params, files.inventory):
        hosts = f"The hosts are {', '.join(files.inventory.hosts)}." if any(kind.names(params)) else ""
        yield file.problem(path, why, hosts)
    yield from service_problems(file, path, kind, params)


def _connection(files: Files, file: PlayFile, path: KeyPath, name: str, value: Connection) -> Iterator[Problem]:
    container = file.container(name)
    if container is None:
        yield unknown_container(file, (*path, "container"), name)
    elif value.network in ("host", "none"):
        message = f"a container is on the network '{value.network}' from its start, or never"
        yield file.problem((*path, "network"), message, "Write network_mode in another container.")
    elif value.network != "bridge":
        yield from container_on(files, file, (*path, "network"), value.network, container.host)


def _service_action(file: PlayFile, path: KeyPath, action: Action) -> Iterator[Problem]:
    service = file.play.services.get(action.service)
    if service is None:
        yield unknown_service(file, (*path, "service"), action.service)
    elif action.scale is not None and service.deploy.mode != "replicated":
        what = "a job: its tasks end" if service.deploy.is_job else "global: it has one task per node"
        message = f"the service '{action.service}' is {what}"
        yield file.problem((*path, "service"), message, "Name a service with deploy.mode: replicated.")


def _drain(files: Files, file: PlayFile, path: KeyPath, host: str) -> Iterator[Problem]:
    members = files.inventory.swarm_hosts
    if host not in members:
        remedy = suggest(host, members, "Its hosts") if members else "Give a Docker host the role swarm_manager."
        yield file.problem(path, f"the Swarm has no host '{host}'", remedy)

"""What drills name: hosts, services, volumes, and what their faults are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..base import Model
from ..drills import ANY, IT, OTHERS, Drill, Prober, with_host
from ..faults import FaultSpec, fault_kinds
from ..problems import Problem, listed, suggest
from ..source import KeyPath
from .faults import service_problems
from .files import Files, PlayFile, item
from .places import named_hosts


def problems(files: Files) -> Iterator[Problem]:
    for file in files.plays.values():
        for index, drill in enumerate(file.play.drills):
            if drill.lacks:
                continue
            yield from _drill(files, file, ("drills", index), drill)


def _drill(files: Files, file: PlayFile, path: KeyPath, drill: Drill) -> Iterator[Problem]:
    yield from named_hosts(files, file, (*path, "each"), drill.each)
    for name, prober in drill.probers.items():
        yield from _prober(files, file, (*path, "probers", name), prober)
    for name, writer in drill.writers.items():
        at: KeyPath = (*path, "writers", name)
        yield from named_hosts(files, file, (*at, "from"), writer.from_)
        known = [*file.play.volumes, *file.play.external.volumes]
        if writer.volume not in known and file.play.stack is None:
            yield file.problem(
                (*at, "volume"), f"unknown volume '{writer.volume}'", suggest(writer.volume, known, "Volumes")
            )
    for number, fault in enumerate(drill.faults):
        yield from _fault(files, file, (*path, "faults", number), drill, fault)
    for number, one in enumerate(drill.during):
        for key, places in (("at", one.at), ("from", one.from_)):
            yield from _places(files, file, (*path, "during", number, key), drill, places)


def _prober(files: Files, file: PlayFile, path: KeyPath, prober: Prober) -> Iterator[Problem]:
    yield from named_hosts(files, file, (*path, "from"), prober.from_)
    for key, target in (("http", prober.http), ("tcp", prober.tcp)):
        if target is not None:
            yield from named_hosts(files, file, (*path, key, "at"), target.at)
    service = prober.http.service if prober.http else None
    if service is not None and service not in file.play.known_services and file.play.stack is None:
        remedy = suggest(service, file.play.known_services, "Services")
        yield file.problem((*path, "http", "service"), f"unknown service '{service}'", remedy)


def _places(files: Files, file: PlayFile, path: KeyPath, drill: Drill, places: Sequence[str]) -> Iterator[Problem]:
    for index, place in enumerate(places):
        where = item(file.document, path, index)
        if place in (IT, OTHERS):
            if not drill.each:
                message = f"'{place}' is a host of a drill with each:, and this one has none"
                yield file.problem(where, message, "Name the host, or add each:.")
        elif not (place == ANY and path[-1] == "at") and place not in files.places:
            remedy = suggest(
                place, [*files.places, IT, OTHERS, *([ANY] if path[-1] == "at" else [])], "Hosts and roles"
            )
            yield file.problem(where, f"unknown host or role '{place}'", remedy)


def _fault(files: Files, file: PlayFile, path: KeyPath, drill: Drill, fault: FaultSpec) -> Iterator[Problem]:
    kind = fault_kinds()[fault.name]
    path = (*path, fault.name)
    named = {value for value in _texts(fault.params) if value in (IT, OTHERS)}
    if named and not drill.each:
        yield file.problem(
            path, f"{listed(sorted(named))}: of a drill with each:, and this one has none", "Name a host."
        )
        return
    turns = files.expand(drill.each)[:1]
    if drill.each and not turns:
        return  # which was reported
    turns = turns or [""]
    others = [host for host in files.inventory.docker_hosts if host not in turns]
    params = with_host(fault, turns[0], others).params
    if why := kind.unknown(params, files.inventory):
        yield file.problem(path, why)
    yield from service_problems(file, path, kind, params)


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Model():
            for name in value.model_fields_set:
                yield from _texts(getattr(value, name))
        case list() | tuple():
            for one in value:
                yield from _texts(one)

"""A play as a person does it without clusterlab: what is made, then statement by statement what shows that it holds."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from clusterlab.capabilities import ALL_CAPABILITIES, Capabilities
from clusterlab.checks.kinds import KINDS
from clusterlab.checks.manual.line import HERE, Line
from clusterlab.checks.manual.where import Where
from clusterlab.model import Lab
from clusterlab.model.base import Model
from clusterlab.model.checks import Check
from clusterlab.model.playbook import Play
from clusterlab.plan.apply import changes_in, left_out
from clusterlab.progress import Progress
from clusterlab.remote import Hosts, Target
from clusterlab.resources.base import Change
from clusterlab.resources.images import WantedImage, wanted_images
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope

from .actions import Actions


@dataclass(frozen=True)
class Part:
    """Something that is made, or a statement with what puts back what it changed: lines in their order."""

    title: str
    lines: tuple[Line, ...]
    check: Check | None = None


@dataclass(frozen=True)
class Lesson:
    """A play, in the order in which its lines are typed, on hosts that are provisioned."""

    name: str
    play: Play
    making: tuple[Part, ...]
    statements: tuple[Part, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.making + self.statements


def lesson(
    lab: Lab, name: str, inventory: str, progress: Progress, unsupported: Capabilities = ALL_CAPABILITIES
) -> Lesson:
    """The lesson of one play; images that are built from packages are built when they are not in the cache.

    `inventory` is what `clusterlab ssh` is given to copy images to the hosts. What machines cannot have because of
    `unsupported` is not made.
    """
    alone = Lab(lab.inventory, {name: lab.plays[name]}, lab.folder)
    images = wanted_images(alone, progress)
    changes = _changes(alone, images, progress, unsupported)
    where = Where(alone, name, {one: image.tag for one, image in images.items()})
    copying = [part for change in changes for part in _copied(change, images, inventory)]
    making = [Part(_title(change), tuple(_made(change, images, where))) for change in changes]
    statements = [Part(check.title, tuple(statement_lines(check, where)), check) for check in where.play.checks]
    return Lesson(name, where.play, (*copying, *making), tuple(statements))


def _changes(lab: Lab, images: dict[str, WantedImage], progress: Progress, unsupported: Capabilities) -> list[Change]:
    """What `apply` would do on engines that have nothing."""
    omitted = frozenset(one.key for one in left_out(lab, unsupported))
    nothing: dict[str, Any] = {one.name: {} for one in fields(Observed)}
    with Hosts({name: Target(name, str(host.address)) for name, host in lab.inventory.hosts.items()}) as hosts:
        empty = {
            name: Observed(**{**nothing, "lab": lab.name, "host": hosts[name]}) for name in lab.inventory.docker_hosts
        }
        return changes_in(Scope(lab, empty, omitted=omitted, images=images), progress)


def _title(change: Change) -> str:
    return f"{change.key.kind} {change.key.name} on {change.key.host}"


def _copied(change: Change, images: Mapping[str, WantedImage], inventory: str) -> Iterator[Part]:
    """What brings an image's archive to the host that is to load it."""
    archive = _archive(change, images)
    if archive:
        ssh = ["clusterlab", "ssh", change.key.host, "-i", inventory, "--", f"cat > {shlex.quote(archive.name)}"]
        line = Line(HERE, f"{shlex.join(ssh)} < {shlex.quote(str(archive))}")
        yield Part(f"a copy of {_title(change)}", (line,))


def _made(change: Change, images: Mapping[str, WantedImage], where: Where) -> Iterator[Line]:
    yield Line(change.key.host, change.command, environment=where.environment(change.key.kind, change.key.name))
    archive = _archive(change, images)
    if archive:
        yield Line(change.key.host, shlex.join(["rm", archive.name]))


def _archive(change: Change, images: Mapping[str, WantedImage]) -> Path | None:
    archive = images[change.key.name].archive if change.key.kind == "image" else None
    return archive.path if archive else None


def statement_lines(check: Check, where: Where) -> Iterator[Line]:
    """What is looked up is so until the next action: each once."""
    known: set[Line] = set()
    for line in _lines(check, where):
        if not (line.sets or line.wanted):
            known.clear()
        if line not in known:
            yield line
        if line.sets:
            known.add(line)


def _lines(check: Check, where: Where) -> Iterator[Line]:
    if check.probe is not None:
        yield from _asked(check.kind, check.probe, where, check.within, check.for_)
        return
    actions = Actions(where)
    for step in check.steps:
        if step.do is not None:
            yield from actions.lines(step.do)
        elif step.probe is not None:
            yield from _asked(step.kind, step.probe, where, check.within if step.within is None else step.within)
    yield from actions.put_back()
    for probe in check.finally_:
        yield from KINDS["command"].manual(probe, where)


def _asked(kind: str, probe: Model, where: Where, within: float | None, lasting: float | None = None) -> Iterator[Line]:
    """The lines of a probe; those that are to hold only after a while, or for a while, are tried as long."""
    for line in KINDS[kind].manual(probe, where):
        yield from where.taken()
        shows = bool(line.wanted and not line.sets)
        yield replace(line, within=within if within and shows else line.within, lasting=(shows and lasting) or 0)

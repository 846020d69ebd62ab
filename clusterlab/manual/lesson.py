"""A play as a person does it without clusterlab.

What is made, then statement by statement what shows that it holds.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from clusterlab.capabilities import ALL_CAPABILITIES, Capabilities
from clusterlab.checks.kinds import KINDS
from clusterlab.checks.manual.line import HERE, Line
from clusterlab.checks.manual.where import Where
from clusterlab.model import Lab
from clusterlab.model.base import Model
from clusterlab.model.checks import Check
from clusterlab.model.playbook import Play
from clusterlab.model.reserved import shown
from clusterlab.plan.apply import wanted
from clusterlab.progress import Progress
from clusterlab.resources.base import SWARM, Key
from clusterlab.resources.kind import of_verb
from clusterlab.resources.kinds import RESOURCES
from clusterlab.resources.scope import Wants

from .actions import Actions


@dataclass(frozen=True)
class Part:
    """Something that is made, or a statement with what restores what it changed.

    Lines in their order.
    """

    title: str
    lines: tuple[Line, ...]
    check: Check | None = None


@dataclass(frozen=True)
class Lesson:
    """A play as the lines to type, in order, on hosts that are provisioned."""

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
    """The lesson of one play.

    Images that are built from packages are built when they are not in the cache.

    `inventory` is what `clusterlab ssh` is given to copy images to the hosts. What machines cannot have because of
    `unsupported` is not made.
    """
    alone = lab.only(name)
    wants = wanted(alone, unsupported, progress)
    where = Where(alone, name, {one: image.tag for one, image in wants.images.items()})
    created = list(_created(wants, where))
    copying = [_copied(key, copy, inventory) for key, copy, _ in created if copy]
    making = [Part(title_of(key), tuple(lines)) for key, _, lines in created]
    statements = [Part(check.title, tuple(statement_lines(check, where)), check) for check in where.play.checks]
    return Lesson(shown(name), where.play, (*copying, *making), tuple(statements))


@dataclass(frozen=True)
class _Copy:
    """A file of this machine that a host needs, by a name of its own there."""

    file: Path
    host: str
    name: str


def _created(wants: Wants, where: Where) -> Iterator[tuple[Key, _Copy | None, list[Line]]]:
    """What the play wants, in the order of creation, with files and commands."""
    for kind in of_verb(RESOURCES.values(), "apply"):
        for key, want in kind.wanted(wants).items():
            if key not in wants.omitted:
                host = where.manager if key.host == SWARM else key.host
                file = kind.file(want)
                copy = _Copy(file, host, kind.file_name(want)) if file else None
                forget = [Line(host, shlex.join(["rm", copy.name]))] if copy else []
                environment = where.environment(key.kind, key.name)
                yield key, copy, [Line(host, kind.manual(want), environment=environment), *forget]


def title_of(key: Key) -> str:
    """What a resource is called in a lesson: `volume nfs_gw on host1`."""
    return f"{key.kind} {key.name} {'of the Swarm' if key.host == SWARM else f'on {key.host}'}"


def _copied(key: Key, copy: _Copy, inventory: str) -> Part:
    """What brings a file to the host that reads it."""
    ssh = ["clusterlab", "ssh", copy.host, "-i", inventory, "--", f"cat > {shlex.quote(copy.name)}"]
    line = Line(HERE, f"{shlex.join(ssh)} < {shlex.quote(str(copy.file))}")
    return Part(f"a copy of {title_of(key)}", (line,))


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
    yield from actions.restore()
    for probe in check.finally_:
        yield from KINDS["command"].manual(probe, where)


def _asked(kind: str, probe: Model, where: Where, within: float | None, lasting: float | None = None) -> Iterator[Line]:
    """The lines of a probe.

    Those that are to hold only after a while, or for a while, are tried as long.
    """
    for line in KINDS[kind].manual(probe, where):
        yield from where.taken()
        shows = bool(line.wanted and not line.sets)
        yield replace(line, within=within if within and shows else line.within, lasting=(shows and lasting) or 0)

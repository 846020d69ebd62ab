"""mount: what is mounted on a path, as the kernel reports it there."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from pydantic import Field

from clusterlab.model.base import Issue, Strings
from clusterlab.model.matcher import Matcher
from clusterlab.model.probes import Probe, absolute

from ..finding import Finding, ask_each, finding
from ..kind import CheckKind
from ..manual.line import Line
from ..manual.shell_matchers import as_wanted
from ..manual.where import Where
from ..matcher import describe, match
from ..mounts import COMMAND, Mount, mount_of, read_mounts
from ..place import NotUnderstood, Place
from ..places import Places

_HINT = (
    "the mount happens when the container starts: a volume that was created earlier with other options keeps them; "
    "compare with `docker volume inspect`"
)
_LAST = '$2 == "{}" {{ line = $0 }} END {{ print line }}'  # of several mounts on one path it covers the others


class MountProbe(Probe):
    """What is mounted on a path, as the kernel reports it."""

    path: str
    type: str | None = Field(default=None, examples=["nfs4"])
    source: Matcher | None = None
    options: Strings = Field(default_factory=list, description="each must be among the options that the kernel reports")
    lacks: Strings = Field(default_factory=list, description="none of these may be set")

    def issues(self) -> Iterator[Issue]:
        yield from super().issues()
        yield from absolute(self.path)


class MountKind(CheckKind[MountProbe]):
    name = "mount"
    model = MountProbe

    def ask(self, probe: MountProbe, places: Places) -> list[Finding]:
        """The path must be a mount point, of that type, source and options."""
        return ask_each(places.of(probe), summary(probe), lambda place: _compare(probe, place, places))

    def manual(self, probe: MountProbe, where: Where) -> Iterator[Line]:
        for place in where.of(probe):
            asking = place.typed(["cat", "/proc/mounts"])
            last = _LAST.format(posixpath.normpath(probe.path))
            proof = [f"found=$({asking} | awk {shlex.quote(last)})", '[ -n "$found" ]']
            if probe.type:
                proof.append(_has(f"^[^ ]+ [^ ]+ {probe.type} "))
            proof += [_has(_option(option)) for option in probe.options]
            proof += [f"! {_has(_option(option))}" for option in probe.lacks]
            if probe.source is not None:
                proof += ["found=${found%% *}", as_wanted(probe.source)]
            yield Line(place.host, asking, summary(probe), " && ".join(proof))


KIND = MountKind()


def summary(probe: MountProbe) -> str:
    parts = [f"a mount on {probe.path}"]
    parts += [f"of type {probe.type}"] if probe.type else []
    parts += [f"source {describe(probe.source)}"] if probe.source else []
    parts += [f"with options {', '.join(probe.options)}"] if probe.options else []
    parts += [f"without {', '.join(probe.lacks)}"] if probe.lacks else []
    return ", ".join(parts)


def _compare(probe: MountProbe, place: Place, places: Places) -> Finding:
    held = mount_of(probe.path, read_mounts(place, places))
    command = place.typed(COMMAND)
    if held is None:
        raise NotUnderstood(f"/proc/mounts has nothing above {probe.path}", command=command)
    is_point = held.path == posixpath.normpath(probe.path)
    problems = _problems(probe, held) if is_point else [f"{probe.path} is not a mount point: it lies on this mount"]
    line = f"{held.source} on {held.path} type {held.type} ({','.join(held.options)})"
    return finding(
        place,
        command,
        holds=not problems,
        wanted=summary(probe),
        found=": ".join([line, "; ".join(problems)]) if problems else line,
        output=line,
        hint=_HINT,
    )


def _problems(probe: MountProbe, held: Mount) -> list[str]:
    problems = []
    if probe.type and held.type != probe.type:
        problems.append(f"type is {held.type}, not {probe.type}")
    if probe.source is not None:
        compared = match(probe.source, held.source)
        problems += [] if compared.holds else [f"source {compared.found}"]
    problems += [f"option {option} is missing" for option in probe.options if option not in held.options]
    problems += [f"option {option} is there" for option in probe.lacks if option in held.options]
    return problems


def _option(option: str) -> str:
    escaped = option.replace(".", r"\.")
    return rf" ([^ ]*,)?{escaped}(,[^ ]*)? [0-9]+ [0-9]+$"


def _has(pattern: str) -> str:
    return f"printf '%s\\n' \"$found\" | grep -qE {shlex.quote(pattern)}"

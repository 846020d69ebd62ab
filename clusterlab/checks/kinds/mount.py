"""mount: what is mounted on a path, as the kernel reports it there."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import Field

from clusterlab.model.base import Fault, Strings
from clusterlab.model.matcher import Matcher
from clusterlab.model.probes import Probe, absolute

from ..finding import Finding, ask_each, finding
from ..kind import CheckKind
from ..manual.line import Line
from ..manual.shell_matchers import as_wanted
from ..manual.where import Where
from ..matcher import describe, match
from ..place import NotUnderstood, Place, Places

_HINT = (
    "the mount happens when the container starts: a volume that was made earlier with other options keeps them; "
    "compare with `docker volume inspect`"
)
_LAST = '$2 == "{}" {{ line = $0 }} END {{ print line }}'  # of several mounts on one path it covers the others


class MountProbe(Probe):
    """What is mounted on a path, as the kernel reports it."""

    path: str
    type: str | None = Field(default=None, examples=["nfs4"])
    source: Matcher | None = None
    options: Strings = Field(default_factory=list, description="each must be among the options that the kernel reports")
    lacks: Strings = Field(default_factory=list, description="none of these may be")

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
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


@dataclass(frozen=True)
class Mount:
    """A line of /proc/mounts, proc_mounts(5)."""

    source: str
    path: str
    type: str
    options: tuple[str, ...]


def parse(text: str) -> list[Mount]:
    """Read /proc/mounts; blanks in names are written there as octal escapes. Raises ValueError for anything else."""
    mounts = []
    for line in text.splitlines():
        fields = line.split(" ")
        if len(fields) != 6:
            raise ValueError(f"not a line of /proc/mounts: {line!r}")
        source, path, kind, options = (_unescape(field) for field in fields[:4])
        mounts.append(Mount(source, path, kind, tuple(options.split(","))))
    return mounts


def mount_of(path: str, mounts: list[Mount]) -> Mount | None:
    """The mount that holds a path: the longest one above it; of several on one path the last covers the others."""
    path = posixpath.normpath(path)
    holding = [m for m in mounts if path == m.path or path.startswith(m.path.rstrip("/") + "/")]
    return max(enumerate(holding), key=lambda item: (len(item[1].path), item[0]))[1] if holding else None


def summary(probe: MountProbe) -> str:
    parts = [f"a mount on {probe.path}"]
    parts += [f"of type {probe.type}"] if probe.type else []
    parts += [f"source {describe(probe.source)}"] if probe.source else []
    parts += [f"with options {', '.join(probe.options)}"] if probe.options else []
    parts += [f"without {', '.join(probe.lacks)}"] if probe.lacks else []
    return ", ".join(parts)


def _compare(probe: MountProbe, place: Place, places: Places) -> Finding:
    argv = ["cat", "/proc/mounts"]
    completed = places.run(place, argv)
    command = place.typed(argv)
    try:
        mounts = parse(completed.stdout) if completed.ok else []
    except ValueError as error:
        raise NotUnderstood(str(error), command=command, detail=completed.output) from error
    held = mount_of(probe.path, mounts)
    if held is None:
        raise NotUnderstood("/proc/mounts could not be read", command=command, detail=completed.output)
    is_point = held.path == posixpath.normpath(probe.path)
    problems = _problems(probe, held) if is_point else [f"{probe.path} is no mount point: it lies on this mount"]
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


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)


def _option(option: str) -> str:
    escaped = option.replace(".", r"\.")
    return rf" ([^ ]*,)?{escaped}(,[^ ]*)? [0-9]+ [0-9]+$"


def _has(pattern: str) -> str:
    return f"printf '%s\\n' \"$found\" | grep -qE {shlex.quote(pattern)}"

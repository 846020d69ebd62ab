"""file: is there a file, and what is in it, whose is it, with which mode."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from clusterlab.model.base import Issue
from clusterlab.model.matcher import Matcher
from clusterlab.model.playbook import Play
from clusterlab.model.probes import Probe, absolute

from ..finding import Finding, ask_each, finding
from ..kind import CheckKind
from ..manual.line import Line, prints
from ..manual.where import Where
from ..matcher import describe, match
from ..mounts import mount_of, read_mounts
from ..place import CANNOT_START, NotUnderstood, Place
from ..places import Places
from ..volume_paths import mounted, volumes_at

_ANY = "[^|]*"  # a field of stat's output, as a pattern
_FORMAT = "%F|%a|%U|%u|%G|%g"
_BOTH = 'path=$1; shift; "$@" "$path" && cat "$path"'  # what stat says, and then the content
_TYPES = {
    "regular file": "file",
    "regular empty file": "file",
    "directory": "directory",
    "symbolic link": "symlink",
}
_TYPE_PATTERNS = {"file": "regular (empty )?file", "directory": "directory", "symlink": "symbolic link"}


_MODE = r"^[0-7]{3,4}$"


def _mode(value: object) -> object:
    if isinstance(value, str) and not re.match(_MODE, value):
        raise ValueError(f"'{value}' must be an octal mode such as 0644")
    return value


_Mode = Annotated[
    str,
    BeforeValidator(_mode),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": _MODE}, {"type": "integer"}]}
    ),  # editors read 0644 as a number
]


class FileProbe(Probe):
    """A file: whether it is there, its content, owner and mode."""

    path: str
    exists: bool = True
    content: Matcher | None = None
    owner: str | int | None = None
    group: str | int | None = None
    mode: _Mode | None = Field(default=None, description="octal, such as 0644")
    type: Literal["file", "directory", "symlink"] | None = None

    def issues(self) -> Iterator[Issue]:
        yield from super().issues()
        yield from absolute(self.path)
        if not self.exists:
            for key in self.given("content", "owner", "group", "mode", "type"):
                yield Issue((key,), f"'{key}' has no effect when 'exists' is false", "Leave one of them out.")


class File(CheckKind[FileProbe]):
    name = "file"
    model = FileProbe
    tools = ("stat",)

    def opens(self, probe: FileProbe, play: Play) -> frozenset[str]:
        return volumes_at(play, probe.in_, probe.path)

    def ask(self, probe: FileProbe, places: Places) -> list[Finding]:
        """The file must exist (or not) and be as expected, at every place."""
        return ask_each(places.of(probe), summary(probe), lambda place: _compare(probe, place, places))

    def manual(self, probe: FileProbe, where: Where) -> Iterator[Line]:
        for place in where.of(probe):
            asking = place.typed(stat_command(probe))
            looked_at = probe.given("type", "mode", "owner", "group")
            proof = f"{asking} | grep -qE {shlex.quote(_pattern(probe))}" if looked_at else asking
            if not probe.exists:
                proof = f"{_seen(probe, place, where)} && {asking} 2>&1 | grep -q 'No such file or directory'"
            if probe.content is None:
                yield Line(place.host, asking, summary(probe), proof)
                continue
            reading = place.typed(["cat", probe.path])
            yield Line(
                place.host, f"{asking}; {reading}", summary(probe), f"{proof} && {prints(reading, probe.content)}"
            )


KIND = File()


@dataclass(frozen=True)
class Stat:
    """What stat(1) says of a file; owner and group both as name and as number."""

    type: str
    mode: int
    owner: tuple[str, str]
    group: tuple[str, str]

    def __str__(self) -> str:
        return f"{self.type} {self.mode:04o} {self.owner[0]}({self.owner[1]}):{self.group[0]}({self.group[1]})"


def parse(text: str) -> Stat:
    """Read one line of `stat -c` with `_FORMAT`. Raises ValueError."""
    fields = text.strip().split("|")
    if len(fields) != 6:
        raise ValueError(f"stat did not print a line of six fields: {text!r}")
    kind, mode, owner, uid, group, gid = fields
    return Stat(_TYPES.get(kind, kind), int(mode, 8), (owner, uid), (group, gid))


def stat_command(probe: FileProbe) -> list[str]:
    """What asks for all but the content.

    A symbolic link is followed unless it is itself what is wanted.
    """
    return ["stat", *([] if probe.type == "symlink" else ["-L"]), "-c", _FORMAT, probe.path]


def summary(probe: FileProbe) -> str:
    if not probe.exists:
        return f"{probe.path} does not exist"
    parts = [f"{probe.path} exists"]
    for name in ("type", "owner", "group", "mode"):
        value = getattr(probe, name)
        parts += [f"{name} {value}"] if value is not None else []
    parts += [f"content {describe(probe.content)}"] if probe.content else []
    return ", ".join(parts)


def _compare(probe: FileProbe, place: Place, places: Places) -> Finding:
    argv, reading = stat_command(probe), ["cat", probe.path]
    command = place.typed(argv)
    if probe.exists and probe.content is not None:
        command = f"{command}; {place.typed(reading)}"
        argv = ["sh", "-c", _BOTH, "sh", probe.path, *argv[:-1]]
    completed = places.run(place, argv)
    if completed.exit in CANNOT_START:
        places.tool(place, "stat")
    line, _, content = completed.stdout.partition("\n")
    if not completed.ok and line:
        raise NotUnderstood(f"{probe.path} cannot be read: {completed.stderr.strip()}", command=place.typed(reading))
    if not completed.ok:
        if "No such file or directory" not in completed.stderr:
            raise NotUnderstood(
                f"stat reports neither what {probe.path} is nor that it does not exist: {completed.output}",
                command=command,
                detail=completed.output,
            )
        unseen = "" if probe.exists else _why_unseen(probe, place, places)
        return finding(
            place,
            command,
            holds=not probe.exists and not unseen,
            wanted=summary(probe),
            found=f"{probe.path} does not exist{f', but {unseen}' if unseen else ''}",
            output=completed.output,
            hint="where the folder does not exist either, a missing file proves nothing" if unseen else "",
        )
    try:
        stat = parse(line)
    except ValueError as error:
        raise NotUnderstood(str(error), command=command, detail=completed.output) from error
    problems = _problems(probe, stat) if probe.exists else ["it exists"]
    found = str(stat)
    if probe.exists and probe.content is not None:
        compared = match(probe.content, content)
        problems += [] if compared.holds else [f"content {compared.found}"]
    return finding(
        place,
        command,
        holds=not problems,
        wanted=summary(probe),
        found=": ".join([found, "; ".join(problems)]) if problems else found,
        output=completed.output,
    )


def _problems(probe: FileProbe, stat: Stat) -> list[str]:
    problems = []
    if probe.type is not None and stat.type != probe.type:
        problems.append(f"is a {stat.type}, not a {probe.type}")
    if probe.owner is not None and str(probe.owner) not in stat.owner:
        problems.append(f"owner is not {probe.owner}")
    if probe.group is not None and str(probe.group) not in stat.group:
        problems.append(f"group is not {probe.group}")
    if probe.mode is not None and int(probe.mode, 8) != stat.mode:
        problems.append(f"mode is not {probe.mode}")
    return problems


def _why_unseen(probe: FileProbe, place: Place, places: Places) -> str:
    """Why the file could not be seen even if it existed.

    Its folder, or what should be mounted above it, is missing.
    """
    folder = posixpath.dirname(posixpath.normpath(probe.path))
    argv = ["stat", "-L", "-c", "%F", folder]
    completed = places.run(place, argv)
    if completed.stdout.strip() != "directory":
        return f"its folder {folder} {'is a ' + completed.stdout.strip() if completed.ok else 'does not exist either'}"
    if not place.container:
        return ""
    report = places.inspect(place)
    targets = [one["Destination"] for one in report["Mounts"]] + list(report["HostConfig"].get("Tmpfs") or {})
    above = [target for target in targets if folder == target or folder.startswith(target.rstrip("/") + "/")]
    if not above:
        return ""
    wanted = posixpath.normpath(max(above, key=len))
    held = mount_of(folder, read_mounts(place, places))
    return "" if held is not None and held.path == wanted else f"nothing is mounted on {wanted}"


def _seen(probe: FileProbe, place: Place, where: Where) -> str:
    """Shell commands that succeed when the file could be seen if it existed, as `_why_unseen` has it."""
    folder = posixpath.dirname(posixpath.normpath(probe.path))
    seen = f"{place.typed(['stat', '-L', '-c', '%F', folder])} | grep -qx directory"
    targets = [posixpath.normpath(path) for _, path in mounted(where.play, place.container)] if place.container else []
    above = [path for path in targets if folder == path or folder.startswith(f"{path}/")]
    if not above:
        return seen
    at = shlex.quote(f" {max(above, key=len)} ")
    return f"{seen} && {place.typed(['cat', '/proc/mounts'])} | grep -qF {at}"


def _pattern(probe: FileProbe) -> str:
    """What stat's line must be like: type|mode|owner|its number|group|its number."""
    mode = f"{int(probe.mode, 8):o}" if probe.mode is not None else _ANY
    return (
        rf"^{_TYPE_PATTERNS.get(probe.type or '', _ANY)}\|{mode}\|{_identity(probe.owner)}\|{_identity(probe.group)}$"
    )


def _identity(who: str | int | None) -> str:
    return rf"{_ANY}\|{_ANY}" if who is None else rf"({who}\|{_ANY}|{_ANY}\|{who})"

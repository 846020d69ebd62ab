"""file: is there a file, and what is in it, whose is it, with which mode."""

from __future__ import annotations

from dataclasses import dataclass

from clusterlab.model.checks import FileProbe

from .finding import Finding, ask_each, finding
from .matcher import describe, match
from .place import NotUnderstood, Place, Places

_FORMAT = "%F|%a|%U|%u|%G|%g"
_TYPES = {
    "regular file": "file",
    "regular empty file": "file",
    "directory": "directory",
    "symbolic link": "symlink",
}


@dataclass(frozen=True)
class Stat:
    """What stat(1) says of a file; owner and group both as name and as number."""

    type: str
    mode: int
    owner: tuple[str, str]
    group: tuple[str, str]

    def __str__(self) -> str:
        return f"{self.type} {self.mode:04o} {self.owner[0]}({self.owner[1]}):{self.group[0]}({self.group[1]})"


def ask(probe: FileProbe, places: Places) -> list[Finding]:
    """The file must exist (or not) and be as wanted, at every place."""
    return ask_each(places.of(probe), told(probe), lambda place: _compare(probe, place, places))


def parse(text: str) -> Stat:
    """Read one line of `stat -c` with `_FORMAT`. Raises ValueError."""
    fields = text.strip().split("|")
    if len(fields) != 6:
        raise ValueError(f"not what stat was asked for: {text!r}")
    kind, mode, owner, uid, group, gid = fields
    return Stat(_TYPES.get(kind, kind), int(mode, 8), (owner, uid), (group, gid))


def asking(probe: FileProbe) -> list[str]:
    """What asks for all but the content; a symbolic link is followed unless it is itself what is wanted."""
    return ["stat", *([] if probe.type == "symlink" else ["-L"]), "-c", _FORMAT, probe.path]


def told(probe: FileProbe) -> str:
    if not probe.exists:
        return f"{probe.path} does not exist"
    parts = [f"{probe.path} exists"]
    for name in ("type", "owner", "group", "mode"):
        value = getattr(probe, name)
        parts += [f"{name} {value}"] if value is not None else []
    parts += [f"content {describe(probe.content)}"] if probe.content else []
    return ", ".join(parts)


def _compare(probe: FileProbe, place: Place, places: Places) -> Finding:
    places.tool(place, "stat")
    argv = asking(probe)
    completed = places.run(place, argv)
    command = place.typed(argv)
    if not completed.ok:
        if "No such file or directory" not in completed.stderr:
            raise NotUnderstood(
                f"stat says neither what {probe.path} is nor that it does not exist: {completed.output}",
                command=command,
                detail=completed.output,
            )
        return finding(
            place,
            command,
            holds=not probe.exists,
            wanted=told(probe),
            found=f"{probe.path} does not exist",
            output=completed.output,
        )
    try:
        stat = parse(completed.stdout)
    except ValueError as error:
        raise NotUnderstood(str(error), command=command, detail=completed.output) from error
    problems = _problems(probe, stat) if probe.exists else ["it exists"]
    found, output = str(stat), completed.output
    if probe.exists and probe.content is not None:
        shown = places.run(place, ["cat", probe.path])
        if not shown.ok:
            raise NotUnderstood(
                f"{probe.path} cannot be read: {shown.output}", command=place.typed(["cat", probe.path])
            )
        compared = match(probe.content, shown.stdout)
        problems += [] if compared.holds else [f"content {compared.found}"]
        command, output = f"{command}; {place.typed(['cat', probe.path])}", f"{output}\n{shown.stdout}"
    return finding(
        place,
        command,
        holds=not problems,
        wanted=told(probe),
        found=": ".join([found, "; ".join(problems)]) if problems else found,
        output=output,
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

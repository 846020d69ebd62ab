"""command, file, mount and shared_file by hand."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from clusterlab.checks import command, file, mount
from clusterlab.checks.place import Place
from clusterlab.checks.shared_file import APPEND, WRITE, append_patience
from clusterlab.model.checks import CommandProbe, FileProbe, MountProbe, SharedFileProbe

from .line import Line, ends, prints
from .shell_matchers import as_wanted
from .where import Where

_ANY = "[^|]*"
_TYPES = {"file": "regular (empty )?file", "directory": "directory", "symlink": "symbolic link"}
_LAST = '$2 == "{}" {{ line = $0 }} END {{ print line }}'  # of several mounts on one path it covers the others


def command_lines(probe: CommandProbe, where: Where) -> Iterator[Line]:
    for place in where.of(probe):
        typed = command.typed(probe, place)
        if probe.user:
            words = command.words(probe)
            as_user = ["docker", "exec", "--user", probe.user, place.container] if place.container else []
            typed = shlex.join([*(as_user or ["runuser", "-u", probe.user, "--"]), *words])
        whole = f"(\n{typed.rstrip()}\n)" if isinstance(probe.run, str) and not place.container else typed
        yield Line(place.host, typed, command.told(probe), ends(whole, probe.exits, probe.stdout, probe.stderr))


def file_lines(probe: FileProbe, where: Where) -> Iterator[Line]:
    for place in where.of(probe):
        asking = place.typed(file.asking(probe))
        looked_at = probe.given("type", "mode", "owner", "group")
        proof = f"{asking} | grep -qE {shlex.quote(_stat(probe))}" if looked_at else asking
        if not probe.exists:
            proof = f"{asking} 2>&1 | grep -q 'No such file or directory'"
        if probe.content is None:
            yield Line(place.host, asking, file.told(probe), proof)
            continue
        reading = place.typed(["cat", probe.path])
        yield Line(place.host, f"{asking}; {reading}", file.told(probe), f"{proof} && {prints(reading, probe.content)}")


def _stat(probe: FileProbe) -> str:
    """What stat's line must be like: type|mode|owner|its number|group|its number."""
    mode = f"{int(probe.mode, 8):o}" if probe.mode is not None else _ANY
    return rf"^{_TYPES.get(probe.type or '', _ANY)}\|{mode}\|{_identity(probe.owner)}\|{_identity(probe.group)}$"


def _identity(who: str | int | None) -> str:
    return rf"{_ANY}\|{_ANY}" if who is None else rf"({who}\|{_ANY}|{_ANY}\|{who})"


def mount_lines(probe: MountProbe, where: Where) -> Iterator[Line]:
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
        yield Line(place.host, asking, mount.told(probe), " && ".join(proof))


def _option(option: str) -> str:
    escaped = option.replace(".", r"\.")
    return rf" ([^ ]*,)?{escaped}(,[^ ]*)? [0-9]+ [0-9]+$"


def _has(pattern: str) -> str:
    return f"printf '%s\\n' \"$found\" | grep -qE {shlex.quote(pattern)}"


def shared_file_lines(probe: SharedFileProbe, where: Where) -> Iterator[Line]:
    """Each writes and all others read; then all append at the same time, and each must read all lines in order."""
    path, everywhere = f"{probe.path}.by-hand", where.of(probe)
    names = [place.container or place.host for place in everywhere]
    for writer, name in zip(everywhere, names, strict=True):
        yield Line(writer.host, writer.typed(["sh", "-c", WRITE, "sh", path, name]))
        for reader in everywhere:
            if reader != writer:
                reading = reader.typed(["cat", path])
                yield Line(reader.host, reading, f"what {name} wrote", f'[ "$({reading})" = {shlex.quote(name)} ]')
    for place, name in zip(everywhere, names, strict=True):
        yield Line(place.host, _aside(place, ["sh", "-c", APPEND, "sh", path, name, str(probe.appends)]))
    total = probe.appends * len(names)
    for place in everywhere:
        reading = place.typed(["cat", path])
        proof = [f'[ "$({reading} | wc -l)" -eq {total + 1} ]']
        proof += [f'[ "$({reading} | grep "^{name} ")" = "$(seq -f "{name} %.0f" {probe.appends})" ]' for name in names]
        wanted = f"all {total} lines: none lost, none doubled, each place's in order"
        yield Line(place.host, reading, wanted, " && ".join(proof), within=append_patience(probe.appends))
    yield Line(everywhere[0].host, everywhere[0].typed(["rm", "-f", path]))


def _aside(place: Place, argv: list[str]) -> str:
    """A command that goes on while the next line is typed."""
    if place.container:
        return shlex.join(["docker", "exec", "--detach", place.container, *argv])
    return f"nohup {shlex.join(argv)} > /dev/null 2>&1 &"

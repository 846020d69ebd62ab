"""Mounts of a host and of its containers, and processes that wait in the kernel."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .section import Section

_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """A line of mountinfo: see proc_pid_mountinfo(5)."""

    device: str  # major:minor
    root: str
    point: str
    options: str
    kind: str = ""
    source: str = ""
    super_options: str = ""

    @property
    def is_nfs(self) -> bool:
        return self.kind in ("nfs", "nfs4")

    def option(self, name: str) -> str:
        """The value of a file system's option such as vers; "" when it has none."""
        return next((one.partition("=")[2] for one in self.super_options.split(",") if one.startswith(f"{name}=")), "")


def _mounts(text: str) -> tuple[Mount, ...]:
    found = []
    *lines, last = text.rstrip().splitlines() or [""]
    if last != "mounts end":
        raise ValueError("cut off")
    for line in lines:
        if line.strip():
            before, _, after = line.partition(" - ")
            _, _, device, root, point, options, *_ = before.split(" ")
            kind, source, super_options, *_ = [*after.split(" "), ""]
            found.append(Mount(device, _plain(root), _plain(point), options, kind, _plain(source), super_options))
    if not found:
        raise ValueError("no mount")
    return tuple(found)


def _plain(path: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), path)


MOUNTS: Section[tuple[Mount, ...]] = Section("mounts", "cat /proc/1/mountinfo && echo mounts end", _mounts)


@dataclass(frozen=True)
class Wanted:
    """A line of fstab."""

    source: str
    point: str
    kind: str
    options: tuple[str, ...]


def _fstab(text: str) -> tuple[Wanted, ...]:
    found = []
    for line in text.splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            source, point, kind, *rest = words
            if not point.startswith("/") and point not in ("none", "swap"):
                raise ValueError(line)
            found.append(Wanted(source, _plain(point), kind, tuple(rest[0].split(",")) if rest else ()))
    return tuple(found)


FSTAB: Section[tuple[Wanted, ...]] = Section("fstab", "[ ! -e /etc/fstab ] || cat /etc/fstab", _fstab)


@dataclass(frozen=True)
class Stuck:
    """A process that waits in the kernel and cannot be ended (state D).

    With the function that it waits in.
    """

    pid: int
    where: str
    switches: int  # how often it went to sleep: as long as it waits, this stays
    name: str


def _stuck(text: str) -> tuple[Stuck, ...]:
    lines = text.rstrip().splitlines()
    if not lines or lines[-1] != "stuck end":
        raise ValueError("cut off")
    words = (one.split(" ", 3) for one in lines[:-1] if one)
    return tuple(Stuck(int(pid), where, int(switches), name) for pid, where, switches, name in words)


STUCK: Section[tuple[Stuck, ...]] = Section(
    "stuck",
    r"""
for file in /proc/[0-9]*/stat; do
  read -r line < "$file" || continue
  case ${line##*) } in D*)
    folder=${file%/stat}; name=${line#*(}
    switches=$(sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' "$folder/status")
    echo "${folder#/proc/} $(cat "$folder/wchan" 2>/dev/null || echo -) ${switches:-0} ${name%)*}" ;;
  esac
done 2>/dev/null
echo stuck end
""",
    _stuck,
)


def _container_mounts(text: str) -> dict[str, tuple[Mount, ...]]:
    """Mounts by the container's ID."""
    found: dict[str, list[Mount]] = {}
    current: list[Mount] = []
    lines = text.rstrip().splitlines()
    if not lines or lines[-1] != "mounts end":
        raise ValueError("cut off")
    for line in filter(None, lines[:-1]):
        first, *rest = line.split(" ")
        if first == "container":
            current = found.setdefault(rest[0], [])
        else:
            root, point, options = rest
            current.append(Mount(first, _plain(root), _plain(point), options))
    return {name: tuple(mounts) for name, mounts in found.items()}


CONTAINER_MOUNTS: Section[dict[str, tuple[Mount, ...]]] = Section(
    "container-mounts",
    r"""
for file in "$root"/containers/*/config.v2.json; do
  [ -e "$file" ] || continue
  pid=$(grep -o '"Pid":[0-9]*' "$file" | head -n 1); pid=${pid#*:}
  [ "${pid:-0}" != 0 ] && [ -r "/proc/$pid/mountinfo" ] || continue
  folder=${file%/*}
  echo "container ${folder##*/}"
  awk '$5 !~ /^\/(proc|sys|dev)(\/|$)/ && $5 != "/" {print $3, $4, $5, $6}' "/proc/$pid/mountinfo"
done
echo mounts end
""",
    _container_mounts,
)

"""The host itself: its clock, kernel, memory, disks and kernel settings."""

from __future__ import annotations

from dataclasses import dataclass

from .section import Section, pairs


def _clock(text: str) -> float:
    seconds, point, fraction = text.strip().partition(".")
    if not point or len(fraction) != len("123456789"):
        raise ValueError(text)
    return int(seconds) + int(fraction) / 1e9


CLOCK: Section[float] = Section("clock", "date +%s.%N", _clock)
"""Unix time of the host."""


@dataclass(frozen=True)
class Kernel:
    """The running kernel and the modules that exist for it."""

    hostname: str
    release: str
    machine_id: str
    loadable: bool  # whether this kernel has modules at all
    own_modules: bool  # whether the folder with its modules exists
    other_modules: tuple[str, ...]  # kernels that have such a folder
    loaded: frozenset[str]  # of vxlan, ip_vs, overlay, br_netfilter


def _kernel(text: str) -> Kernel:
    found = pairs(text)
    return Kernel(
        found["hostname"],
        found["release"],
        found["machine-id"].strip(),
        found["loadable"] == "yes",
        found["own-modules"] == "yes",
        tuple(found["other-modules"].split()),
        frozenset(found["loaded"].split()),
    )


KERNEL: Section[Kernel] = Section(
    "kernel",
    """
running=$(uname -r)
echo "hostname $(uname -n)"
echo "release $running"
echo "machine-id $(cat /etc/machine-id 2>/dev/null)"
if [ -e /proc/modules ]; then echo loadable yes; else echo loadable no; fi
if [ -d "/lib/modules/$running" ]; then echo own-modules yes; else echo own-modules no; fi
echo "other-modules $(ls /lib/modules 2>/dev/null | grep -vxF "$running" | tr '\\n' ' ')"
echo "loaded $(for one in vxlan ip_vs overlay br_netfilter; do [ ! -e /sys/module/$one ] || echo $one; done | tr "
"'\\n' ' ')"
""",
    _kernel,
)


@dataclass(frozen=True)
class Memory:
    """Memory in bytes, and how many processes the kernel has killed for lack of it.

    Since the boot.
    """

    total: int
    available: int
    kills: int


def _memory(text: str) -> Memory:
    found = {line.split()[0].rstrip(":"): int(line.split()[1]) for line in text.splitlines() if line.strip()}
    return Memory(found["MemTotal"] * 1024, found["MemAvailable"] * 1024, found.get("oom_kill", 0))


MEMORY: Section[Memory] = Section(
    "memory",
    "grep -E '^(MemTotal|MemAvailable):' /proc/meminfo && { grep '^oom_kill ' /proc/vmstat || true; }",
    _memory,
)


@dataclass(frozen=True)
class FileSystem:
    """A local file system.

    `size` and `free` in bytes, `inodes` the used share of 0 to 100 (None: it has none).
    """

    source: str
    mount_point: str
    size: int
    free: int
    used: int  # per cent, as df rounds it
    inodes: int | None


def _file_systems(text: str) -> tuple[FileSystem, ...]:
    blocks, _, inodes = text.partition("-- inodes\n")
    shares = {point: share for *_, share, point in map(_row, _rows(inodes))}
    found = []
    for source, size, _, free, used, point in map(_row, _rows(blocks)):
        share = shares.get(point, "-")
        bytes_, left = int(size) * 1024, int(free) * 1024
        found.append(FileSystem(source, point, bytes_, left, _per_cent(used) or 0, _per_cent(share)))
    if not found:
        raise ValueError("no file system")
    return tuple(found)


def _rows(text: str) -> list[str]:
    """The rows of df below its heading, which has another language on some hosts."""
    return [line for line in text.splitlines() if line.strip()][1:]


def _row(line: str) -> tuple[str, str, str, str, str, str]:
    source, size, used, free, share, point = line.split(None, 5)
    return source, size, used, free, share, point


def _per_cent(text: str) -> int | None:
    return None if text == "-" else int(text.removesuffix("%"))


DISKS: Section[tuple[FileSystem, ...]] = Section(
    "disks", "limit df -Pkl && echo '-- inodes' && limit df -Pil", _file_systems
)


@dataclass(frozen=True)
class Sizes:
    """What grows: files in bytes."""

    container_logs: dict[str, int]  # by container ID, those above 1 GiB without a max-size
    journal: int  # 0 without one
    journal_bound: str  # SystemMaxUse of journald, "" when it is not set
    swarm: int  # the raft log and the snapshots
    tasks: int  # a node's database of tasks


def _sizes(text: str) -> Sizes:
    logs: dict[str, int] = {}
    found = {"swarm": 0, "tasks": 0, "journal": 0}
    bound = ""
    for line in text.splitlines():
        match line.split():
            case ["log", size, path]:
                logs[path.rsplit("/", 2)[-2]] = int(size)
            case ["swarm" | "tasks" | "journal" as name, size]:
                found[name] = int(size)
            case ["journal-bound", bound]:
                pass
            case []:
                continue
            case _:
                raise ValueError(line)
    return Sizes(logs, found["journal"], bound, found["swarm"], found["tasks"])


SIZES: Section[Sizes] = Section(
    "sizes",
    """
if [ -d "$root/containers" ]; then
  large=$(
    limit find "$root/containers" -maxdepth 2 -name '*-json.log' -size +1048576k -printf 'log %s %p\\n' 2>/dev/null
  )
  [ $? -ne 137 ] || exit 137
  printf '%s\\n' "$large" | while read -r word size path; do
    [ -z "$word" ] || grep -qs '"max-size":"' "${path%/*}/hostconfig.json" || echo "$word $size $path"
  done
fi
if [ -d /var/log/journal ]; then
  size=$(limit du -sb /var/log/journal 2>/dev/null); [ $? -ne 137 ] || exit 137
  echo "journal ${size%%[!0-9]*}"
  bound=$(cat /usr/lib/systemd/journald.conf.d/*.conf /etc/systemd/journald.conf /run/systemd/journald.conf.d/*.conf \\
    /etc/systemd/journald.conf.d/*.conf 2>/dev/null | sed -n 's/^ *SystemMaxUse *= *\\([^ ]*\\).*/\\1/p' | tail -n 1)
  [ -z "$bound" ] || echo "journal-bound $bound"
fi
for one in raft:swarm worker:tasks; do
  [ ! -d "$root/swarm/${one%:*}" ] || echo "${one#*:} $(limit du -sb "$root/swarm/${one%:*}" 2>/dev/null | cut -f1)"
done
true
""",
    _sizes,
)


def _settings(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in pairs(text).items()}


SETTINGS: Section[dict[str, int]] = Section(
    "settings",
    """
for one in net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables; do
  file=/proc/sys/$(echo "$one" | tr . /)
  [ ! -e "$file" ] || echo "$one $(cat "$file")"
done
""",
    _settings,
)
"""Settings of the kernel by name; absent where the kernel does not have one."""

"""What a lab is made of on this machine, as the kernel shows it: to see that all of it goes away."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Collection
from pathlib import Path

Found = dict[str, Collection[object]]
"""What was found, by its kind; only kinds of which there is something."""

_NAMESPACES = ("net", "mnt", "pid", "uts", "ipc", "cgroup")
_REAPED_SECONDS = 3.0


def processes(lab: str) -> dict[int, str]:
    """Processes that have the lab's name in their command line or environment, without this one."""
    return {pid: _read(pid, "cmdline") for pid in _pids() if _is_marked(pid, lab)}


def namespaces(pids: set[int]) -> set[str]:
    """The namespaces that these processes are in and this one is not."""
    return _namespaces_of({str(pid) for pid in pids}) - _namespaces_of({"self"})


def alive(spaces: set[str], lab: str) -> set[str]:
    """Which of these namespaces still have a process, or are held by a mount.

    The kernel gives numbers of namespaces again: those of other labs are others.
    """
    here = {pid for pid in _pids() if not _is_of_another(pid, lab)}
    mounted = {line.split()[3] for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    return spaces & (_namespaces_of({str(pid) for pid in here}) | mounted)


def mounts(lab: str) -> list[str]:
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f"/labs/{lab}" in line]


def cgroups(lab: str) -> list[str]:
    return sorted(str(path) for path in Path("/sys/fs/cgroup").glob(f"*/clusterlab.{lab}.*"))


def links() -> list[str]:
    """Network cards outside that have names such as labs give to theirs."""
    shown = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    names = [line.split(": ")[1] for line in shown.splitlines()]
    return [name for name in names if name.startswith(("lan", "to"))]


def left(lab: str, state_home: Path, spaces: set[str]) -> Found:
    """All that remains of a lab; empty when nothing is.

    A process that has ended is in its namespaces until it is reaped: so what remains is looked at again for a moment.
    """
    deadline = time.monotonic() + _REAPED_SECONDS
    while (found := seen(lab, state_home, spaces)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def seen(lab: str, state_home: Path, spaces: set[str]) -> Found:
    """All that there is of a lab at this moment; `spaces` are namespaces that its processes were seen in."""
    everything: Found = {
        "processes": processes(lab),
        "namespaces": alive(spaces, lab),
        "mounts": mounts(lab),
        "cgroups": cgroups(lab),
        "links": links(),
        "files": [str(path) for path in state_home.rglob("*") if lab in path.name],
    }
    return {kind: what for kind, what in everything.items() if what}


def _pids() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()]


def _read(pid: int, name: str) -> str:
    """What the kernel tells of a process; nothing when it is gone."""
    try:
        return Path("/proc", str(pid), name).read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _is_marked(pid: int, lab: str) -> bool:
    return re.search(rf"/labs/{re.escape(lab)}\b", _read(pid, "cmdline") + _read(pid, "environ")) is not None


def _is_of_another(pid: int, lab: str) -> bool:
    """By what it was started with, or for what runs in a container by its cgroup."""
    cgroup = _read(pid, "cgroup")
    another = "CLUSTERLAB_NAMESPACES=" in _read(pid, "environ") or "/clusterlab." in cgroup
    return another and not _is_marked(pid, lab) and f"/clusterlab.{lab}." not in cgroup


def _namespaces_of(pids: set[str]) -> set[str]:
    found = set()
    for pid in pids:
        for kind in _NAMESPACES:
            try:
                found.add(str(Path("/proc", pid, "ns", kind).readlink()))
            except OSError:
                continue
    return found

"""What a lab is made of on this machine, as the kernel shows it: to see that all of it goes away."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

_NAMESPACES = ("net", "mnt", "pid", "uts", "ipc", "cgroup")
_REAPED_SECONDS = 3.0


def processes(lab: str) -> dict[int, str]:
    """Processes that have the lab's name in their command line or environment, without this one."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = (folder / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"/labs/{lab}" in command or f"/labs/{lab}" in environment:
            found[int(folder.name)] = command
    return found


def namespaces(pids: set[int]) -> set[str]:
    """The namespaces that these processes are in and this one is not."""
    return _namespaces_of({str(pid) for pid in pids}) - _namespaces_of({"self"})


def alive(spaces: set[str]) -> set[str]:
    """Which of these namespaces still have a process, or are held by a mount."""
    everyone = {folder.name for folder in Path("/proc").iterdir() if folder.name.isdecimal()}
    mounted = {line.split()[3] for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    return spaces & (_namespaces_of(everyone) | mounted)


def mounts(lab: str) -> list[str]:
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f"/labs/{lab}" in line]


def cgroups(lab: str) -> list[str]:
    return sorted(str(path) for path in Path("/sys/fs/cgroup").glob(f"*/clusterlab.{lab}.*"))


def links() -> list[str]:
    """Network cards outside that have names such as labs give to theirs."""
    shown = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    names = [line.split(": ")[1] for line in shown.splitlines()]
    return [name for name in names if name.startswith(("lan", "to"))]


def left(lab: str, state_home: Path, spaces: set[str]) -> dict[str, object]:
    """All that is left of a lab; empty when nothing is.

    A process that has ended is in its namespaces until it is reaped: so what is left is looked at again for a moment.
    """
    deadline = time.monotonic() + _REAPED_SECONDS
    while (found := _left(lab, state_home, spaces)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def _left(lab: str, state_home: Path, spaces: set[str]) -> dict[str, object]:
    everything = {
        "processes": processes(lab),
        "namespaces": alive(spaces),
        "mounts": mounts(lab),
        "cgroups": cgroups(lab),
        "links": links(),
        "files": [str(path) for path in state_home.rglob("*") if lab in path.name],
    }
    return {kind: what for kind, what in everything.items() if what}


def _namespaces_of(pids: set[str]) -> set[str]:
    found = set()
    for pid in pids:
        for kind in _NAMESPACES:
            try:
                found.add(str(Path("/proc", pid, "ns", kind).readlink()))
            except OSError:
                continue
    return found

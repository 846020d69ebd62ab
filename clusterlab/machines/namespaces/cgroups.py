"""The control groups of a lab.

One for each host in every hierarchy, with whatever its engine makes below it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from pathlib import Path

_POLL = 0.02  # seconds
_FREEZER = "freezer.state"
_STATES = {True: "FROZEN", False: "THAWED"}


def lab_cgroup(lab: str, lab_folder: Path) -> str:
    """The name of a lab's cgroup.

    Labs of one name that have other state folders have another one.
    """
    return f"clusterlab.{lab}.{hashlib.sha256(str(lab_folder).encode()).hexdigest()[:8]}"


def make(group: str) -> list[Path]:
    """Make a host's cgroup (LAB/HOST) in every hierarchy.

    A process id written to each file returned joins them.
    """
    joins = []
    for mount, version in _hierarchies():
        host = mount / group
        for folder in (host.parent, host):
            folder.mkdir(exist_ok=True)
            _inherit_cpus(folder)
        if version == 2:
            _hand_down(mount, host.parent)
        joins.append(host / "cgroup.procs")
    return joins


def limit(group: str, memory: int | None, cpus: int | None) -> None:
    """Limit what a host uses.

    Bytes of memory, and processor time of this many processors.
    """
    period = 100_000  # microseconds
    for mount, _ in _hierarchies():
        for name, value in (
            ("memory.limit_in_bytes", memory),
            ("memory.max", memory),
            ("cpu.cfs_quota_us", cpus and cpus * period),
            ("cpu.max", cpus and f"{cpus * period} {period}"),
        ):
            if value is not None and (mount / group / name).exists():
                (mount / group / name).write_text(str(value))


def freeze(group: str, frozen: bool) -> None:
    """Stop all processes of a host's cgroup where they stand, or let them run on."""
    for mount, version in _hierarchies():
        name, value = ("cgroup.freeze", str(int(frozen))) if version == 2 else (_FREEZER, _STATES[frozen])
        if (mount / group / name).exists():
            (mount / group / name).write_text(value)


def is_frozen(group: str) -> bool:
    """Whether a host's processes are stopped, or about to be."""
    for mount, version in _hierarchies():
        name, value = ("cgroup.freeze", "1") if version == 2 else (_FREEZER, _STATES[True])
        if (mount / group / name).exists():
            return (mount / group / name).read_text().strip() in (value, "FREEZING")
    return False


def remove(group: str, seconds: float) -> list[str]:
    """Remove a lab's cgroup (LAB) or a host's (LAB/HOST) and what is below.

    Waits for processes that are just ending.

    Returns what remains after `seconds`.
    """
    deadline = time.monotonic() + seconds
    roots = [mount / group for mount, _ in _hierarchies()]
    while True:
        left = [str(root) for root in roots if not _remove_tree(root)]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(_POLL)


def memory_in_use(group: str) -> int | None:
    """Bytes that a host's processes hold, without the page cache.

    None when the kernel does not count them.
    """
    for mount, version in _hierarchies():
        file = mount / group / "memory.stat"
        if file.exists():
            counts = dict(line.split() for line in file.read_text().splitlines())
            return int(counts["anon" if version == 2 else "total_rss"])
    return None


def _hierarchies() -> list[tuple[Path, int]]:
    """Where each hierarchy is mounted, with its version.

    Version 2 counts only when version 1 is not in use.
    """
    mounts: dict[int, list[Path]] = {1: [], 2: []}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        kind = rest.split()[0]
        if kind in ("cgroup", "cgroup2"):
            mounts[2 if kind == "cgroup2" else 1].append(Path(fields.split()[4]))
    version = 1 if mounts[1] else 2
    return [(mount, version) for mount in mounts[version]]


def _inherit_cpus(group: Path) -> None:
    """A new cgroup of version 1 has no processors until some are assigned."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        file = group / name
        if file.exists() and not (group / "cgroup.controllers").exists() and not file.read_text().strip():
            file.write_text((group.parent / name).read_text())


def _hand_down(*groups: Path) -> None:
    for group in groups:
        controllers = (group / "cgroup.controllers").read_text().split()
        (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in controllers))


def _remove_tree(root: Path) -> bool:
    """Remove a cgroup and those below it, deepest first.

    False when a process is still in one.
    """
    try:
        for folder, _, _ in os.walk(root, topdown=False):
            os.rmdir(folder)
    except FileNotFoundError:
        return False  # going away under us: look again
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.ENOTEMPTY):
            raise
        return False
    return True

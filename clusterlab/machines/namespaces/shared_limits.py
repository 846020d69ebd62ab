"""What all hosts in namespaces share of this kernel, and how much of it is used.

Of each there is a bounded number, and what needs one more fails in its own words: a container that does not start, a
network without an answer. As root, since files of other users' processes count too. A limit that this kernel does not
have is left out. The table of neighbours is raised as far as a lab needs it: see `neighbours`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
NEAR = 0.8
_BRIDGE_PORTS = 1023
"""Of the bridge that is a lab's LAN: BR_MAX_PORTS less one, in the kernel's net/bridge/br_private.h."""


class Shared(NamedTuple):
    """One thing that there is a bounded number of."""

    name: str
    used: int
    limit: int
    setting: str
    """What raises the limit."""

    @property
    def near(self) -> bool:
        """Whether more hosts will meet this limit soon."""
        return self.used >= NEAR * self.limit

    def __str__(self) -> str:
        return f"{self.name}: {self.used} of {self.limit} ({self.setting})"


def shared_limits(hosts: int, proc: Path = _PROC) -> list[Shared]:
    """All of them, as they are now; `hosts` is how many the lab has."""
    found: list[Shared] = []
    for read in (_neighbours, _threads, _files, _inotify, _keys, _conntrack):
        with suppress(FileNotFoundError):  # this kernel does not have it
            found += read(proc)
    return [*found, Shared("bridge ports", hosts, _BRIDGE_PORTS, "a constant of the kernel")]


def near_limits(hosts: int) -> list[str]:
    """What will soon be used up, for people: one sentence each."""
    return [
        f"this kernel has hardly any left of what all hosts share: {one}" for one in shared_limits(hosts) if one.near
    ]


def _neighbours(proc: Path) -> Iterator[Shared]:
    """The table of all network namespaces: its entries are the first column, in hexadecimal."""
    lines = (proc / "net/stat/arp_cache").read_text().splitlines()
    limit = _number(proc / "sys/net/ipv4/neigh/default/gc_thresh3")
    yield Shared("neighbours", int(lines[1].split()[0], 16), limit, "net.ipv4.neigh.default.gc_thresh3")


def _threads(proc: Path) -> Iterator[Shared]:
    running = int((proc / "loadavg").read_text().split()[3].partition("/")[2])
    yield Shared("threads", running, _number(proc / "sys/kernel/threads-max"), "kernel.threads-max")
    yield Shared("process ids", running, _number(proc / "sys/kernel/pid_max"), "kernel.pid_max")


def _files(proc: Path) -> Iterator[Shared]:
    used, _, limit = (proc / "sys/fs/file-nr").read_text().split()
    yield Shared("open files", int(used), int(limit), "fs.file-max")


def _inotify(proc: Path) -> Iterator[Shared]:
    """Instances of root: a limit of each user."""
    limit = _number(proc / "sys/fs/inotify/max_user_instances")
    used = sum(1 for target in _open_files(proc) if target == "anon_inode:inotify")
    yield Shared("inotify instances", used, limit, "fs.inotify.max_user_instances")


def _open_files(proc: Path) -> Iterator[str]:
    for process in proc.iterdir():
        if not process.name.isdecimal():
            continue
        try:
            for file in (process / "fd").iterdir():
                yield os.readlink(file)
        except OSError:  # the process ended meanwhile
            continue


def _keys(proc: Path) -> Iterator[Shared]:
    """Keys of root: "UID: USAGE KEYS/INSTANTIATED OWN/LIMIT BYTES/LIMIT", keyrings(7)."""
    for line in (proc / "key-users").read_text().splitlines():
        uid, _, rest = line.strip().partition(":")
        if uid == "0":
            used, _, limit = rest.split()[2].partition("/")
            yield Shared("keys", int(used), int(limit), "kernel.keys.root_maxkeys")


def _conntrack(proc: Path) -> Iterator[Shared]:
    """Connections of this network namespace; each host has a count of its own below the same limit."""
    folder = proc / "sys/net/netfilter"
    used, limit = _number(folder / "nf_conntrack_count"), _number(folder / "nf_conntrack_max")
    yield Shared("connections", used, limit, "net.netfilter.nf_conntrack_max")


def _number(file: Path) -> int:
    return int(file.read_text())

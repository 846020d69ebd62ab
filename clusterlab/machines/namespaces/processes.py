"""The processes of a lab, found by a variable in their environment: it holds even when everything written is lost."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

MARKER = "CLUSTERLAB_NAMESPACES"
_POLL = 0.02  # seconds


def environment(lab_folder: Path) -> dict[str, str]:
    """The environment of every process that is started for a lab; nothing of the caller's own goes in."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LC_ALL": "C.UTF-8", MARKER: str(lab_folder)}


def belongs(pid: int, lab_folder: Path) -> bool:
    """Whether a process lives and is of this lab; a number that was given to another process is not."""
    try:
        return _is_marked(Path("/proc", str(pid)), lab_folder)
    except OSError:
        return False


def find(lab_folder: Path) -> list[int]:
    """All processes of a lab, those inside its namespaces too."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and belongs(int(entry.name), lab_folder):
            found.append(int(entry.name))
    return sorted(found)


def kill_all(lab_folder: Path, seconds: float) -> list[int]:
    """Kill all processes of a lab and wait until none is there; returns those left when `seconds` are over.

    Process 1 of a host takes everything in its namespaces with it, so looking again catches all that was just starting.
    """
    deadline = time.monotonic() + seconds
    while left := find(lab_folder):
        if time.monotonic() > deadline:
            return left
        for pid in left:
            kill(pid, lab_folder)
        time.sleep(_POLL)
    return []


def kill(pid: int, lab_folder: Path) -> None:
    """Kill one process of a lab, and never another one that has got its number."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if belongs(pid, lab_folder):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)


def wait_gone(pid: int, lab_folder: Path, seconds: float) -> bool:
    """Wait until a process has ended."""
    deadline = time.monotonic() + seconds
    while belongs(pid, lab_folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def _is_marked(process: Path, lab_folder: Path) -> bool:
    marked = f"{MARKER}={lab_folder}".encode()
    return marked in (process / "environ").read_bytes().split(b"\0")

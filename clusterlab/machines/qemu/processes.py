"""Our processes, found by what they were started with.

So none is lost with a file, and no other is touched.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .accelerator import BINARY

SWITCH = "vde_switch"


@dataclass(frozen=True)
class Process:
    """A running process.

    A process id that was given away again is noticed by the start time.
    """

    pid: int
    started: str  # clock ticks after boot, as the kernel writes them
    arguments: tuple[str, ...]

    @property
    def machine(self) -> str | None:
        """The host whose QEMU this is (`-name clusterlab/<lab>/<host>`), or None."""
        name = dict(zip(self.arguments, self.arguments[1:], strict=False)).get("-name", "")
        return name.rpartition("/")[2] if name.startswith("clusterlab/") else None

    @property
    def alive(self) -> bool:
        return _started(self.pid) == self.started

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this process, never to another one that got its id."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if self.alive:
                signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return
        finally:
            os.close(descriptor)

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended; whether it has."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            return not self.alive or bool(select.select([descriptor], [], [], max(0.0, seconds))[0])
        finally:
            os.close(descriptor)


def processes_in(folder: Path) -> list[Process]:
    """QEMUs and switches that were started with files in `folder`.

    Whether it still exists or not.
    """
    inside = f"{folder}/"
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        arguments = _arguments(entry)
        if Path(arguments[0]).name in (BINARY, SWITCH) and any(argument.startswith(inside) for argument in arguments):
            started = _started(int(entry.name))
            if started:
                found.append(Process(int(entry.name), started, arguments))
    return found


def end(processes: Iterable[Process], seconds: float = 5.0) -> list[Process]:
    """End processes, at last by force; those that are still there are returned."""
    remaining = list(processes)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in remaining:
            process.signal(number)
        deadline = time.monotonic() + seconds
        remaining = [process for process in remaining if not process.wait(deadline - time.monotonic())]
    return remaining


def _arguments(entry: Path) -> tuple[str, ...]:
    try:
        return tuple((entry / "cmdline").read_bytes().decode(errors="replace").split("\0"))
    except OSError:  # it ended meanwhile
        return ("",)


def _started(pid: int) -> str:
    """When a process was started, or nothing if there is none or only its remains."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]

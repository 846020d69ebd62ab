"""A manager that is frozen just when a worker's engine waits for its answer.

The manager is host1, the worker host2.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
Sh = Callable[[str, str], str]
"""Runs a command on a host, and returns what it printed."""
LATE, REFUSED = "attaching to network failed", "Could not attach to network"
FROZEN = 22.0  # seconds: an engine waits 20 s for the Swarm's answer


def manager_process(sh: Sh) -> int:
    """The engine of host1 as this system knows it."""
    namespace = sh("host1", "readlink /proc/$(pgrep -o -x dockerd)/ns/net")
    found = subprocess.run(["pgrep", "-x", "dockerd"], capture_output=True, text=True, check=True).stdout.split()
    return next(int(pid) for pid in found if os.readlink(f"/proc/{pid}/ns/net") == namespace)


def frozen_after(pid: int, seconds: float) -> None:
    """Freeze a process `seconds` from now, for longer than an engine waits for it."""
    never = threading.Event()
    never.wait(seconds)
    os.kill(pid, signal.SIGSTOP)
    try:
        never.wait(FROZEN)
    finally:
        os.kill(pid, signal.SIGCONT)


class Moment:
    """When the manager is frozen after a start: after it has accepted the request to join, before it has answered.

    It is searched: too early, and the request itself is refused; too late, and the container has started already.
    """

    def __init__(self, sh: Sh) -> None:
        self._sh = sh
        self._pid = manager_process(sh)
        self._early, self._late = 0.0, 1.0

    def hit(self, start: Callable[[], T]) -> tuple[bool, T]:
        """Start something while the manager is frozen.

        Whether a request was accepted and not answered in time, and what `start` returned.
        """
        before = self._logged(LATE), self._logged(REFUSED)
        delay = (self._early + self._late) / 2
        freezer = threading.Thread(target=frozen_after, args=(self._pid, delay))
        freezer.start()
        try:
            found = start()
        finally:
            freezer.join()
        if self._logged(LATE) > before[0]:
            return True, found
        if self._logged(REFUSED) > before[1]:
            self._early = delay
        else:
            self._late = delay
        return False, found

    def _logged(self, text: str) -> int:
        return int(self._sh("host2", f"journalctl -u docker -o cat | grep -c '{text}' || true"))

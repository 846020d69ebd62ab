"""Whether a machine answers, and if not, why."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from clusterlab.errors import ClusterlabError, DeadlineExceeded
from clusterlab.machines.ssh_banner import greets
from clusterlab.progress import Task
from clusterlab.remote.target import Target

from .console import follower, last_lines, tail
from .processes import Process
from .qmp import monitor

_POLL = 0.25
_NO_IDENTITY = "clusterlab: the identity could not be taken"  # as build/guest/identity.sh says it


def wait_for_ssh(
    target: Target, process: Process, folder: Path, task: Task, stop: threading.Event, deadline: float
) -> None:
    """Wait until the machine's SSH server answers.

    It has its identity then, host key included.
    """
    began = time.monotonic()
    console = folder / "console.log"
    follow = follower(console, task)
    while not greets(target.address, target.port, 5.0):
        if not process.alive:
            raise ClusterlabError(f"{target.name}: {why_ended(folder)}", detail=last_lines(console))
        if _NO_IDENTITY in tail(console):
            raise ClusterlabError(f"{target.name}: it could not take its identity", detail=last_lines(console))
        if time.monotonic() > deadline:
            raise DeadlineExceeded(
                f"{target.name}: no answer over SSH after {time.monotonic() - began:.0f} s; {run_state(folder)}",
                remedy="see the console's last lines; a slow computer may need a longer qemu.boot_timeout",
                detail=last_lines(console),
            )
        follow()
        if stop.wait(_POLL):
            raise ClusterlabError(f"{target.name}: waiting for SSH was interrupted")


def run_state(folder: Path) -> str:
    """What QEMU says of the machine that runs in `folder`."""
    try:
        with monitor(folder, timeout=2.0) as qemu:
            status = str(qemu.execute("query-status")["status"])
    except (OSError, ClusterlabError) as error:
        return f"QEMU does not answer either ({error})"
    if status == "io-error":
        return "QEMU stopped it: a write to its disk failed, is this computer's disk full?"
    return f"QEMU reports that it is {status}"


def why_ended(folder: Path) -> str:
    """Why the QEMU that ran in `folder` is gone, as far as it left a word."""
    said = last_lines(folder / "console.log", 4)
    if "reboot: Power down" in said:
        return "it was powered off from inside"
    if "Kernel panic" in last_lines(folder / "console.log", 60):
        return "its kernel panicked"
    words = tail(folder / "qemu.log").strip().splitlines()
    if words and "warning" not in words[-1]:
        return f"QEMU ended: {words[-1]}"
    return "its QEMU ended without a message: it was killed, or this computer was restarted"

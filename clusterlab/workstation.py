"""Who runs this command, and on which computer."""

from __future__ import annotations

import getpass
import os
import socket
from functools import cache
from pathlib import Path


@cache
def user() -> str:
    """The name of the user who runs this process.

    The number when the system has no name for it.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())


@cache
def workstation() -> str:
    """The name of this computer."""
    return socket.gethostname()


def owner() -> str:
    """Both, for people: ada@laptop."""
    return f"{user()}@{workstation()}"


@cache
def machine_id() -> str:
    """What identifies this computer (machine-id(5)), or else its name."""
    try:
        return Path("/etc/machine-id").read_text().strip() or workstation()
    except OSError:
        return workstation()


@cache
def process_space() -> str:
    """Where this process's number means something.

    One boot of one computer, and one PID namespace in it.
    """
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {Path('/proc/self/ns/pid').readlink()}"


def process_started(pid: int) -> str:
    """When a process started, in ticks since the boot (proc_pid_stat(5)).

    "" when it has ended.
    """
    try:
        state, *fields = Path("/proc", str(pid), "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return ""
    return "" if state in "ZX" else fields[18]

"""The processes of a lab, found by a variable in their environment.

It holds even when everything written is lost.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Collection
from pathlib import Path

from clusterlab.waiting import wait_until

MARKER = "CLUSTERLAB_NAMESPACES"
_HOST = "CLUSTERLAB_NAMESPACES_HOST"
_POLL = 0.02  # seconds
_EXEC_SECONDS = 2.0


def environment(lab_folder: Path, host: str = "") -> dict[str, str]:
    """The environment of every process that is started for a lab, or one host.

    The caller's own is not passed on.
    """
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LC_ALL": "C.UTF-8", MARKER: str(lab_folder), _HOST: host}


def on_its_own(*command: str) -> list[str]:
    """The command as one that continues when this process ends.

    Nobody has to wait for it.
    """
    return ["setsid", "--fork", *command]


def started(pid: int) -> int | None:
    """When a process started, in ticks since the kernel booted.

    None when it has ended (proc_pid_stat(5)).
    """
    fields = _stat(pid)
    return int(fields[19]) if fields and fields[0] not in "ZX" else None


def belongs(pid: int, lab_folder: Path, hosts: Collection[str] = ()) -> bool:
    """Whether a process lives and is of this lab (and one of the hosts).

    One that was given its number is not.
    """
    variables = _variables(Path("/proc", str(pid)))
    wanted = [f"{_HOST}={host}".encode() for host in hosts]
    return f"{MARKER}={lab_folder}".encode() in variables and (not wanted or any(one in variables for one in wanted))


def find(lab_folder: Path, hosts: Collection[str] = ()) -> list[int]:
    """All processes of a lab, or of some hosts, those inside their namespaces too."""
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return sorted(pid for pid in numbers if belongs(pid, lab_folder, hosts))


def kill_all(lab_folder: Path, seconds: float, hosts: Collection[str] = ()) -> list[int]:
    """Kill all processes of a lab, or of some hosts, and wait until none is there.

    Returns those left after `seconds`.

    Process 1 of a host takes everything in its namespaces with it, so looking again catches all that was just starting.
    It comes first: whoever is interrupted here leaves no host that runs without some of its services.
    """
    deadline = time.monotonic() + seconds
    while left := _find_twice(lab_folder, hosts):
        if time.monotonic() > deadline:
            return left
        waited_for = _launching(left) if time.monotonic() < deadline - seconds / 2 else set()
        for pid in sorted(left, key=_is_process_1, reverse=True):
            if pid not in waited_for:
                kill(pid, lab_folder)
        time.sleep(_POLL)
    return []


def _find_twice(lab_folder: Path, hosts: Collection[str]) -> list[int]:
    """As `find`, with a second look at nothing.

    One can miss a process that hands over to its child at that moment.
    """
    found = find(lab_folder, hosts)
    if not found:
        time.sleep(_POLL)
        found = find(lab_folder, hosts)
    return found


def _launching(pids: list[int]) -> set[int]:
    """Those of `pids` that started a host, and wait outside for its process 1.

    They end once its namespaces are empty.

    Without them, a killed process 1 would keep its namespaces until this machine's own process 1 took note, and nobody
    would know when its last file system was unmounted.
    """
    return {pid for pid in pids if not _is_inside(pid) and not _is_lans(pid)}


def kill(pid: int, lab_folder: Path) -> None:
    """Kill one process of a lab, and never another one that has got its number."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError as error:
        if error.errno in (errno.ESRCH, errno.EINVAL):  # it has ended; kernels differ in how they say that
            return
        raise
    try:
        if belongs(pid, lab_folder):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)


def _is_inside(pid: int) -> bool:
    """Whether a process is in a process namespace below this one."""
    return len(_numbers(pid)) > 1


def _is_process_1(pid: int) -> bool:
    """Whether a process is the first one of a host."""
    return _numbers(pid)[1:2] == ["1"]


def _numbers(pid: int) -> list[str]:
    """The numbers of a process in this process namespace and in those below it (proc_pid_status(5), NSpid)."""
    try:
        status = Path("/proc", str(pid), "status").read_text()
    except OSError:
        return []
    return next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])


def _is_lans(pid: int) -> bool:
    """Whether a process is of the lab as a whole, and of no host."""
    return f"{_HOST}=".encode() in _variables(Path("/proc", str(pid)))


def wait_gone(pid: int, lab_folder: Path, what: str, seconds: float) -> None:
    """Wait until a process, `what` it is, has ended. Raises DeadlineExceeded."""
    wait_until(lambda: not belongs(pid, lab_folder), f"{what} to end", seconds, longest_pause=_POLL)


def _stat(pid: int) -> list[str]:
    """The fields of proc_pid_stat(5) from the third (state) on; none when it is gone."""
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []


def _variables(process: Path) -> list[bytes]:
    """The environment of a process; none when it is gone.

    One that is just between two programs is waited for.
    """
    deadline = time.monotonic() + _EXEC_SECONDS
    try:
        while True:
            text = (process / "environ").read_bytes()
            if text or (process / "cmdline").read_bytes() or time.monotonic() > deadline:
                return text.split(b"\0")
            (process / "exe").readlink()  # fails for what has ended, and for the kernel's own
            time.sleep(_POLL / 10)
    except OSError:
        return []

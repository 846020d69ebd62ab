"""The lock that keeps this workstation's other commands off a lab."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from clusterlab import workstation
from clusterlab.errors import ClusterlabError, DeadlineExceeded
from clusterlab.files import make_private
from clusterlab.waiting import wait_until

_LET_GO_SECONDS = 5.0
_held: set[Path] = set()
"""Locks of this process. A process id alone is not enough: containers with one state folder have the same ones."""


class LabBusy(ClusterlabError):
    """Another command is at work on the lab."""


@contextmanager
def locked(path: Path, lab: str, verb: str) -> Iterator[None]:
    """Hold the lock.

    Raises LabBusy at once, naming the command that is at work on the lab.

    A command that already holds the lock may take it again. It ends with the process, however that ends.
    """
    path = path.absolute()
    if path in _held:
        yield
        return
    file = _acquire(path, lab, verb)
    _held.add(path)
    try:
        yield
    finally:
        _held.discard(path)
        path.unlink(missing_ok=True)
        file.close()


@contextmanager
def inherited(path: Path) -> Iterator[None]:
    """The lock as held in the block: the process that started this one holds it for both."""
    path = path.absolute()
    _held.add(path)
    try:
        yield
    finally:
        _held.discard(path)


def _acquire(path: Path, lab: str, verb: str) -> IO[str]:
    """The locked file; raises LabBusy when it cannot be acquired."""
    make_private(path.parent)
    locked: list[IO[str]] = []

    def acquired() -> bool:
        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid, _, holder_verb = file.read().strip().partition(" ")
            file.close()
            if pid and pid != str(os.getpid()) and workstation.process_started(int(pid)):
                raise _busy(lab, pid, holder_verb) from None
            return False  # it may be in a child that is just starting a program, which lets go of it
        if not _is_current(file, path):
            file.close()  # its holder removed it meanwhile
            return False
        file.truncate(0)
        file.write(f"{os.getpid()} {verb}\n")
        file.flush()
        locked.append(file)
        return True

    try:
        wait_until(acquired, "the lab's lock", _LET_GO_SECONDS)
    except DeadlineExceeded:
        raise _busy(lab, "", "") from None
    return locked[0]


def _busy(lab: str, pid: str, verb: str) -> LabBusy:
    return LabBusy(
        f"lab {lab}: another clusterlab is at work on it: {verb or '?'}, process {pid or '?'}",
        remedy="Wait until it has ended" + (f", or end it: kill {pid}" if pid else "."),
    )


def _is_current(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False

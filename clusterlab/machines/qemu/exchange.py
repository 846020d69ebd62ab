"""Exchanging the disks of all machines, so that it can be undone as long as it is not finished.

While the lab's file `restoring` exists, every disk that was exchanged has the earlier one beside it.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from clusterlab.progress import Progress

from .files import LabFiles
from .processes import end, processes_in
from .saving import FILES, copy

_NEXT, _BEFORE = "next.", "before."


def _mark(files: LabFiles) -> Path:
    return files.state.folder / "restoring"


def lay_ready(files: LabFiles, snapshot: Path) -> None:
    """Copy the disks of a snapshot next to those in use, which takes time and room; nothing is changed yet."""
    with ExitStack() as failure:
        failure.callback(_remove, files, _NEXT)
        for host, machine in files.machines.items():
            machine.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in FILES:
                copy(snapshot / host / name, machine.folder / f"{_NEXT}{name}")
        failure.pop_all()


def exchange(files: LabFiles) -> None:
    """Put the disks that were laid ready in the place of those in use. No machine may run."""
    _remove(files, _BEFORE)
    _mark(files).touch()
    for machine in files.machines.values():
        for name in FILES:
            disk = machine.folder / name
            if disk.exists():
                disk.rename(machine.folder / f"{_BEFORE}{name}")
            (machine.folder / f"{_NEXT}{name}").rename(disk)


def finish(files: LabFiles) -> None:
    """Let go of the earlier disks."""
    _mark(files).unlink()
    _remove(files, _BEFORE)


def undo(files: LabFiles) -> bool:
    """Undo an exchange that was not finished: its machines end, and have their earlier disks; whether there was one."""
    unfinished = _mark(files).exists()
    if unfinished:
        end(process for machine in files.machines.values() for process in processes_in(machine.folder))
        for machine in files.machines.values():
            for name in FILES:
                before = machine.folder / f"{_BEFORE}{name}"
                if before.exists():
                    before.replace(machine.folder / name)
        _mark(files).unlink()
    _remove(files, _NEXT)
    return unfinished


def undo_interrupted(files: LabFiles, progress: Progress) -> None:
    """Undo what a command that was killed left unfinished, and say so."""
    if undo(files):
        progress.say(files.lab, "a restore was interrupted: every machine has the disk that it had before")


def _remove(files: LabFiles, prefix: str) -> None:
    for machine in files.machines.values():
        for name in FILES:
            (machine.folder / f"{prefix}{name}").unlink(missing_ok=True)

"""Bringing all machines of a lab to where they were saved: all of them, or none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.progress import Progress, Task

from .clocks import set_clocks
from .files import LabFiles
from .loading import load_all
from .processes import end, processes_in
from .saving import FILES, copy
from .snapshot_record import SnapshotRecord

_NEXT, _BEFORE = "next.", "before."
"""Prefixes of disks: those copied from the snapshot, and those used before.

While the lab's file `restoring` exists, every disk that was exchanged has the earlier one beside it, so that the
exchange can be undone.
"""


def restore_all(files: LabFiles, name: str, folder: Path, record: SnapshotRecord, progress: Progress) -> None:
    """Replace the machines by those saved in `folder`.

    Raises ClusterlabError saying what there is then.
    """
    files.build_images(progress)
    with progress.task(files.lab, f"restoring the snapshot {name}") as task:
        task.update("copying disks")
        with _told(name, "Nothing was changed: running machines keep running.", "free some space, then restore again"):
            lay_ready(files, folder)
        with _told(
            name,
            "The machines are stopped, and each has the disk that it had before.",
            f"`clusterlab up` boots them as they were, `clusterlab restore {name}` tries again",
        ):
            _replace(files, folder, record, task)


@contextmanager
def _told(name: str, state: str, remedy: str) -> Iterator[None]:
    """Say of a failure in the block which state it left, and how to go on."""
    try:
        yield
    except (ClusterlabError, OSError) as error:
        why, detail = (error.message, error.detail) if isinstance(error, ClusterlabError) else (str(error), "")
        raise ClusterlabError(
            f"the snapshot {name} could not be restored: {why}. {state}", remedy=remedy, detail=detail
        ) from error


def _replace(files: LabFiles, folder: Path, record: SnapshotRecord, task: Task) -> None:
    deadline = time.monotonic() + files.settings.boot_timeout
    with ExitStack() as failure:
        failure.callback(undo, files)
        task.update("ending the machines that run")
        _end_all(files)
        exchange(files)
        load_all(files, folder, record, task, deadline)
        task.update("setting their clocks")
        set_clocks(files)
        for machine in files.machines.values():
            machine.mark_made()
        finish(files)
        failure.pop_all()


def _end_all(files: LabFiles) -> None:
    """End the machines; the LAN's switch stays, or is started."""
    left = end(process for process in processes_in(files.state.folder) if process.machine)
    if left:
        pids = ", ".join(str(process.pid) for process in left)
        raise ClusterlabError(f"processes that cannot be ended: {pids}")
    if not files.lan.is_up:
        files.lan.start()


def _mark(files: LabFiles) -> Path:
    return files.state.folder / "restoring"


def lay_ready(files: LabFiles, snapshot: Path) -> None:
    """Copy the disks of a snapshot next to those in use, which takes time and room.

    Nothing is changed yet.
    """
    with ExitStack() as failure:
        failure.callback(_remove, files, _NEXT)
        for host, machine in files.machines.items():
            machine.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in FILES:
                copy(snapshot / host / name, machine.folder / f"{_NEXT}{name}")
        failure.pop_all()


def exchange(files: LabFiles) -> None:
    """Replace the disks in use by those copied from the snapshot. No machine may run."""
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
    """Undo an exchange that was not finished.

    Its machines end, and have their earlier disks; whether there was one.
    """
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
        progress.say(files.lab, "an interrupted restore was undone: every machine has its earlier disk")


def _remove(files: LabFiles, prefix: str) -> None:
    for machine in files.machines.values():
        for name in FILES:
            (machine.folder / f"{prefix}{name}").unlink(missing_ok=True)

"""The snapshots of a lab.

A folder each in the lab's state, so that they go with it.
"""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.files import bytes_on_disk, write_atomically
from clusterlab.machines.file_identity import changed_base
from clusterlab.machines.snapshots import Snapshot
from clusterlab.model.problems import suggest
from clusterlab.progress import Progress

from .accelerator import accelerator
from .clocks import set_clocks
from .files import LabFiles
from .processes import end, processes_in
from .restoring import restore_all, undo_interrupted
from .saving import full_disk, save_all
from .snapshot_record import HostNeeds, Needs, SnapshotRecord, incompatibilities

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RECORD = "snapshot.json"
_HALF_MADE = ".new"  # no name begins with a dot
_GOING = ".going"


class QemuSnapshots:
    """Snapshots of one lab of virtual machines, on disk as long as the lab has state."""

    def __init__(self, files: LabFiles) -> None:
        self._files = files
        self._folder = files.state.folder / "snapshots"

    def names(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if _NAME.fullmatch(path.name))

    def known(self) -> list[Snapshot]:
        first = datetime.min.replace(tzinfo=UTC)
        return sorted(map(self._describe, self.names()), key=lambda one: (one.taken or first, one.name))

    def take(self, name: str, progress: Progress) -> None:
        self.require_free(name)  # before it waits for the lock
        with self._files.state.lock("snapshot"):
            self.require_free(name)
            self._clear()
            undo_interrupted(self._files, progress)
            with ExitStack() as failure, progress.task(self._files.lab, f"saving all machines as {name}") as task:
                failure.callback(self._clear)
                folder = self._folder / _HALF_MADE
                folder.mkdir(mode=0o700, parents=True)
                record = save_all(self._files, folder, task, partial(set_clocks, self._files))
                self._write(folder / _RECORD, record)
                folder.rename(self._folder / name)
                failure.pop_all()

    def restore(self, name: str, progress: Progress) -> None:
        with self._files.state.lock("restore"):
            self.require(name)
            undo_interrupted(self._files, progress)
            try:
                record = SnapshotRecord.read(self._folder / name / _RECORD)
                reasons = self._misfits(record)
            except ClusterlabError as error:
                raise ClusterlabError(
                    f"the snapshot {name} cannot be restored: {error.message}", detail=error.detail
                ) from error
            if reasons:
                raise ClusterlabError(
                    f"the snapshot {name} is incompatible with the lab: {'; '.join(reasons)}",
                    remedy="restore the inventory as it was then, or continue without the snapshot: clusterlab up",
                )
            restore_all(self._files, name, self._folder / name, record, progress)

    def end_machines(self, progress: Progress) -> None:
        with self._files.state.lock("end"), progress.task(self._files.lab, "ending its machines"):
            left = end(processes_in(self._files.state.folder))
            if left:
                pids = ", ".join(str(process.pid) for process in left)
                raise ClusterlabError(f"lab {self._files.lab}: processes that cannot be ended: {pids}")

    def remove(self, name: str) -> None:
        with self._files.state.lock("snapshot"):
            self.require(name)
            self._clear()
            (self._folder / name).rename(self._folder / _GOING)  # at once: never a half that could be restored
            self._clear()

    def require_free(self, name: str) -> None:
        _check_name(name)
        if name in self.names():
            raise UsageError(
                f"snapshot {name} already exists",
                remedy=f"choose another name, or remove it first: clusterlab snapshot {name} --remove",
            )

    def require(self, name: str) -> None:
        known = self.names()
        if name not in known:
            remedy = suggest(name, known, "The snapshots are") or "create one: clusterlab snapshot NAME"
            said = f"lab {self._files.lab} has no snapshot {name!r}" if name else "which snapshot?"
            raise UsageError(said, remedy=remedy)

    def _clear(self) -> None:
        """Remove what is not, or no longer, a snapshot."""
        for name in (_HALF_MADE, _GOING):
            if (self._folder / name).exists():
                shutil.rmtree(self._folder / name)

    def _write(self, file: Path, record: SnapshotRecord) -> None:
        try:
            write_atomically(file, record.model_dump_json(indent=2) + "\n")
        except OSError as error:
            raise full_disk(file.parent) or error from error

    def _describe(self, name: str) -> Snapshot:
        folder = self._folder / name
        size = bytes_on_disk(folder)
        try:
            record = SnapshotRecord.read(folder / _RECORD)
        except ClusterlabError as error:
            return Snapshot(name, None, size, (), (error.message,))
        return Snapshot(name, record.taken, size, tuple(record.hosts), tuple(self._misfits(record)))

    def _misfits(self, record: SnapshotRecord) -> list[str]:
        gone = sorted({str(host.backing) for host in record.hosts.values() if not host.backing.exists()})
        reasons = [f"{path}, which its disks are based on, no longer exists" for path in gone]
        changed = "" if gone else changed_base(record.bases)
        return [*incompatibilities(record.needs, self._now()), *reasons, *filter(None, [changed])]

    def _now(self) -> Needs:
        inventory, how = self._files.inventory, accelerator()
        hosts = {
            host: HostNeeds(
                address=self._files.address(host), memory=size.memory, cpus=size.cpus, image=image.folder.name
            )
            for host, (image, size) in {
                host: (self._files.image(host), self._files.size(host)) for host in inventory.hosts
            }.items()
        }
        return Needs(hosts=hosts, way=how.name, fingerprint=how.fingerprint)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a snapshot" if name else "the snapshot has no name",
            remedy="letters, digits, dots, dashes and underscores, beginning with a letter or digit, at most 64",
        )

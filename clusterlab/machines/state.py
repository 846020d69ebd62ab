"""What is remembered of a lab between commands.

A folder per lab, with its record and its lock.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.files import make_private
from clusterlab.private_folder import check_private

from .lab_lock import inherited, locked
from .paths import state_home
from .record import Record, read_record, write_record


class LabState:
    """The state of one lab. Reading needs no lock.

    What changes the lab runs inside `lock`.
    """

    def __init__(self, lab: str) -> None:
        self.lab = lab
        self.folder = state_home() / "labs" / lab
        self._record = self.folder / "record.json"
        self._lock = self.folder.with_name(f"{lab}.lock")

    def host_folder(self, host: str) -> Path:
        """Where everything of one host is kept."""
        return self.folder / "hosts" / host

    def make(self) -> None:
        """Create the lab's folder, for this user alone.

        Raises ClusterlabError for one that others can change.
        """
        make_private(self.folder)
        check_private(self.folder, others_read=True)

    def read(self) -> Record | None:
        """The record, or None when the lab has none.

        Raises UnreadableRecord when it cannot be understood.
        """
        return read_record(self._record, self.lab)

    def write(self, record: Record) -> None:
        """Write the record.

        Whoever reads at the same time gets the old one or the new one, whole.
        """
        self.make()
        write_record(self._record, record)

    @property
    def failure_logs(self) -> Path:
        """Where a failed `up` keeps the logs of what it then removes.

        The next failure overwrites them.
        """
        return state_home() / "failures" / self.lab

    def remove(self) -> None:
        """Remove the lab's folder, the record last.

        So an interrupted removal can be resumed.

        Raises ClusterlabError naming what could not be removed.
        """
        if not self.folder.exists():
            return
        failed: list[str] = []
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, onerror=lambda _call, entry, info: failed.append(f"{entry}: {info[1]}"))
            elif path != self._record:
                path.unlink(missing_ok=True)
        if failed:
            raise ClusterlabError(
                f"state of lab {self.lab} remains in {self.folder}",
                remedy="see who uses it, then run down again",
                detail="\n".join(failed[:10]),
            )
        self._record.unlink(missing_ok=True)
        self.folder.rmdir()

    @contextmanager
    def lock(self, verb: str) -> Iterator[None]:
        """Keep this workstation's other commands off the lab.

        Raises LabBusy naming the one that is at work on it.

        A command that already holds the lock may take it again. It ends with the process, however that ends.
        """
        with locked(self._lock, self.lab, verb):
            yield

    @contextmanager
    def inherited_lock(self) -> Iterator[None]:
        """The lab's lock in a process whose parent holds it, for as long as that one works on the lab."""
        with inherited(self._lock):
            yield

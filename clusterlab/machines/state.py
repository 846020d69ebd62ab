"""What is remembered of a lab between commands: a folder per lab under the XDG state directory, and its lock."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clusterlab.errors import ClusterlabError
from clusterlab.files import make_private, write_atomically
from clusterlab.model.inventory import Inventory

SCHEMA_VERSION = 1
"""Version of the record's form; raised when an older clusterlab could not read it rightly."""


class LabBusy(ClusterlabError):
    """Another command is at work on the lab."""


class Record(BaseModel):
    """What `up` made, written before it is made, so that `down` finds all of it."""

    model_config = ConfigDict(frozen=True)

    form: int = SCHEMA_VERSION
    kind: str
    """The name of its kind of machines."""
    inventory: Inventory
    """The inventory as it was at `up`: the lab can be recalled when the file is gone."""
    folder: Path
    """Where relative paths of the inventory start."""
    ports: dict[str, int] = Field(default_factory=dict)
    """The loopback port of each host's SSH."""


_LET_GO_SECONDS = 5.0


def state_home() -> Path:
    """`clusterlab` in the XDG state directory."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "state") / "clusterlab"


def known_labs() -> list[str]:
    """Names of all labs that have state, sorted."""
    labs = state_home() / "labs"
    return sorted(path.name for path in labs.iterdir() if path.is_dir()) if labs.is_dir() else []


class LabState:
    """The state of one lab. Reading needs no lock; what changes the lab runs inside `lock`."""

    def __init__(self, lab: str) -> None:
        self.lab = lab
        self.folder = state_home() / "labs" / lab
        self._record = self.folder / "record.json"
        self._lock = self.folder.with_name(f"{lab}.lock")

    def host_folder(self, host: str) -> Path:
        """Where everything of one host is kept."""
        return self.folder / "hosts" / host

    def make(self) -> None:
        """Make the lab's folder, for this user alone."""
        make_private(self.folder)

    def read(self) -> Record | None:
        """The record, or None when the lab has none; raises ClusterlabError when it cannot be understood."""
        try:
            text = self._record.read_text()
        except FileNotFoundError:
            return None
        try:
            data = json.loads(text)
            if isinstance(data, dict) and data.get("form", 0) > SCHEMA_VERSION:
                raise ClusterlabError(
                    f"lab {self.lab} was made by a newer clusterlab ({self._record})",
                    remedy="use that version to bring it down",
                )
            return Record.model_validate(data)
        except (ValueError, ValidationError) as error:
            raise ClusterlabError(
                f"the record of lab {self.lab} cannot be read: {self._record}",
                remedy="bring the lab down with its inventory given (-i), then up again",
                detail=str(error),
            ) from error

    def write(self, record: Record) -> None:
        """Write the record; whoever reads at the same time gets the old one or the new one, whole."""
        self.make()
        write_atomically(self._record, record.model_dump_json(indent=2) + "\n")

    @property
    def failure_logs(self) -> Path:
        """Where a failed `up` keeps the logs of what it then removes; the next failure overwrites them."""
        return state_home() / "failures" / self.lab

    def remove(self) -> None:
        """Remove the lab's folder, the record last, so that an interrupted removal can be taken up again.

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
                f"state of lab {self.lab} is left in {self.folder}",
                remedy="see who uses it, then run down again",
                detail="\n".join(failed[:10]),
            )
        self._record.unlink(missing_ok=True)
        self.folder.rmdir()

    @contextmanager
    def lock(self, verb: str) -> Iterator[None]:
        """Keep other commands off this lab; raises LabBusy at once, naming the one that is on it.

        A command that already holds the lock may take it again. It ends with the process, however that ends.
        """
        lock = self._acquire(verb)
        try:
            yield
        finally:
            if lock:
                self._lock.unlink(missing_ok=True)
                lock.close()

    def _acquire(self, verb: str) -> IO[str] | None:
        make_private(self._lock.parent)
        deadline = time.monotonic() + _LET_GO_SECONDS
        while True:
            lock = self._lock.open("a+")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                pid, _, holder_verb = lock.read().strip().partition(" ")
                lock.close()
                if pid == str(os.getpid()):
                    return None
                if _has_ended(pid) and time.monotonic() < deadline:
                    time.sleep(0.02)  # its lock is in a child that is just starting a program, which lets go of it
                    continue
                raise LabBusy(
                    f"lab {self.lab}: another clusterlab is at work on it: {holder_verb or '?'}, process {pid or '?'}",
                    remedy="wait until it has ended" + (f", or end it: kill {pid}" if pid else ""),
                ) from None
            if self._is_current(lock):
                lock.truncate(0)
                lock.write(f"{os.getpid()} {verb}\n")
                lock.flush()
                return lock
            lock.close()  # its holder removed it meanwhile

    def _is_current(self, lock: IO[str]) -> bool:
        try:
            return os.path.samestat(os.fstat(lock.fileno()), self._lock.stat())
        except FileNotFoundError:
            return False


def _has_ended(pid: str) -> bool:
    """Whether the process is gone, or nobody has taken note yet that it is; "" is one that is just taking the lock."""
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(") ")[2].startswith("Z") if pid else True
    except (FileNotFoundError, ProcessLookupError):
        return True

"""Labs saved once they were provisioned, for those kinds of machines that can: the next start begins there.

A folder for each lab in this user's state. It outlives `down`, and belongs to the lab of that name alone, since what is
saved has that lab's keys, host keys, addresses and ids: whoever holds the lab's lock uses it, nobody else.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from clusterlab.errors import ClusterlabError
from clusterlab.files import bytes_on_disk, make_private, write_atomically
from clusterlab.progress import Progress
from clusterlab.remote import Hosts
from clusterlab.remote.target import Target

from .base import Machines
from .file_identity import FileIdentity, changed_base, identity
from .lab_lock import LabBusy
from .paths import state_home
from .state import LabState

MOST = 3
"""How many labs are kept saved; those unused for longest make room."""
SCHEMA_VERSION = 1
_RECORD = "record.json"
_NEW, _GOING = ".new", ".going"  # no lab's name has a dot


class SavedLabRecord(BaseModel):
    """What was saved, written last of all."""

    model_config = ConfigDict(frozen=True)

    form: int = SCHEMA_VERSION
    saved: AwareDatetime
    definition: dict[str, str]
    """What the lab was made from, by what people call it: it fits a lab that is made from the same."""
    bases: dict[Path, FileIdentity]
    """Every file outside the folder that its disks stand on, directly or not."""
    files: dict[str, FileIdentity]
    """Each file, by its path in the folder."""


class SavedLab(Protocol):
    """The saved state of one lab's machines."""

    @property
    def is_new(self) -> bool:
        """Whether no machine of the lab exists yet."""

    @property
    def fits(self) -> bool:
        """Whether there is one, whole and made from the same as the lab is now."""

    def start(self, progress: Progress) -> Mapping[str, Target]:
        """Create all machines as they were saved, running and reachable; returns how each is reached.

        Their clocks must be set: until then they do not exist for others, and the next start recreates them. Where
        nothing is saved, or it cannot be used, no machine exists, why was said, and nothing is returned.
        """

    def set_clocks(self, hosts: Hosts) -> None:
        """Set the clocks of machines just started; from then on they count as made.

        Raises ClusterlabError naming those where it could not be.
        """

    def discard(self, reason: str, progress: Progress) -> None:
        """Remove what was saved, and the machines that were started from it, and say why."""

    def save(self, hosts: Hosts, progress: Progress) -> None:
        """Save the machines, in place of what was saved before. They run on with their clocks set, also on failure.

        Raises ClusterlabError; nothing is kept then.
        """


class _WithSavedLab(Protocol):
    """Machines of a kind that declares `saved_lab`."""

    @property
    def saved_lab(self) -> SavedLab: ...


def saved_lab_of(machines: Machines) -> SavedLab | None:
    """The saved state of a lab, whether there is one or not; None for kinds of machines that are not saved."""
    return cast(_WithSavedLab, machines).saved_lab if machines.kind.saved_lab else None


class SavedFolder:
    """The folder of one saved lab. What changes it runs under the lab's lock."""

    def __init__(self, lab: str) -> None:
        self.lab = lab
        self.path = _home() / lab
        self._record = self.path / _RECORD

    @property
    def exists(self) -> bool:
        return self.path.is_dir()

    @property
    def size(self) -> int:
        """Bytes on this computer's disk."""
        return sum(bytes_on_disk(folder) for folder in (self.path, self._beside(_NEW), self._beside(_GOING)))

    @property
    def last_use(self) -> float:
        """When it was saved or started from, in seconds since the epoch; 0 when that is unknown."""
        try:
            return self._record.stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def record(self) -> SavedLabRecord:
        """Raises ClusterlabError when it cannot be understood."""
        try:
            return SavedLabRecord.model_validate_json(self._record.read_text())
        except (OSError, ValidationError) as error:
            raise ClusterlabError(f"its record cannot be read: {self._record}", detail=str(error)) from error

    def damage(self) -> str:
        """Why nothing can be started from it; empty when all of it is there."""
        try:
            record = self.record()
        except ClusterlabError as error:
            return error.message
        if record.form != SCHEMA_VERSION:
            return "another version of clusterlab saved it"
        for name, before in record.files.items():
            file = self.path / name
            now = identity(file)
            if now is None or now.size != before.size:
                return f"{file} has {now.size if now else 0} of its {before.size} bytes"
            if now != before:
                return f"{file} was changed since then"
        return changed_base(record.bases)

    @property
    def bases(self) -> set[Path]:
        """The files that its disks stand on, as far as it can be started from."""
        try:
            return set() if self.damage() else set(self.record().bases)
        except ClusterlabError:  # another command removed it meanwhile
            return set()

    def differences(self, definition: Mapping[str, str]) -> list[str]:
        """What the lab is no longer made from as it was then."""
        before = self.record().definition
        return [what for what in {**before, **definition} if before.get(what) != definition.get(what)]

    def use(self) -> None:
        """Note that it is used now."""
        os.utime(self._record)

    @contextmanager
    def replaced(self) -> Iterator[Path]:
        """A folder to write to, its record at last: the saved lab from when the block ends on.

        Nothing of it remains when the block raises.
        """
        self._clear()
        new = self._beside(_NEW)
        make_private(new)
        try:
            yield new
            if self.exists:
                self.path.rename(self._beside(_GOING))
            new.rename(self.path)
        finally:
            self._clear()

    def remove(self) -> None:
        """Remove it, and what an interrupted saving left. Raises ClusterlabError."""
        try:
            if self.exists:
                self.path.rename(self._beside(_GOING))  # at once: never a half that could be started from
            self._clear()
        except OSError as error:
            raise ClusterlabError(f"cannot remove {error.filename or self.path}: {error.strerror}") from error

    def _clear(self) -> None:
        for suffix in (_NEW, _GOING):
            if self._beside(suffix).exists():
                shutil.rmtree(self._beside(suffix))

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(f"{self.lab}{suffix}")


def write_record(folder: Path, definition: Mapping[str, str], bases: Mapping[Path, FileIdentity]) -> None:
    """Record what `folder` has; from then on it is whole."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {str(path.relative_to(folder)): found for path in paths if (found := identity(path))}
    record = SavedLabRecord(saved=datetime.now(UTC), definition=dict(definition), bases=dict(bases), files=files)
    write_atomically(folder / _RECORD, record.model_dump_json(indent=2) + "\n")


def saved_labs() -> list[SavedFolder]:
    """All saved labs, by name, also those whose saving or removal was interrupted."""
    home = _home()
    names = {path.name.partition(".")[0] for path in home.iterdir()} if home.is_dir() else set()
    return [SavedFolder(name) for name in sorted(names)]


def prune(lab: str) -> None:
    """Keep this lab and as many others as there may be; one that a command is at work on stays."""
    others = sorted((one for one in saved_labs() if one.lab != lab), key=lambda one: one.last_use, reverse=True)
    for one in others[MOST - 1 :]:
        try:
            with LabState(one.lab).lock("save"):
                one.remove()
        except LabBusy:
            continue


def _home() -> Path:
    return state_home() / "saved"

"""Runs on disk: one folder per run.

Written so that a crash at any moment leaves a readable one.

A run is begun with a marker that has its number and is locked while its process lives. Numbers give the order,
whatever the clock did; the folder's name says when it was for people.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.files import make_private
from clusterlab.machines.paths import state_home
from clusterlab.nightly.nightly_run import NightlyRun, read_nightly_run
from clusterlab.reports.html import page
from clusterlab.reports.junit import junit
from clusterlab.reports.summary import write_json, write_text

_STAMP = "%Y%m%dT%H%M%SZ"
_MARKER = "begun.json"
ALWAYS_KEPT = 3
"""This many of the newest runs are never removed for their age: a clock that jumped must not empty the folder."""


@dataclass
class RunFolder:
    """The folder of one run."""

    path: Path
    number: int
    _held: IO[str] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def results(self) -> Path:
        return self.path / "results.json"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def read(self) -> NightlyRun:
        """The run; raises ClusterlabError when it cannot be read."""
        return read_nightly_run(self.results)

    def write(self, run: NightlyRun) -> None:
        """Rewrite report, JUnit and results, each whole or not at all.

        The results come last: whoever finds something in them finds it in the others, too. Raises ClusterlabError, as
        on a full disk.
        """
        write_text(self.report, page(run))
        write_text(self.path / "junit.xml", junit(run.as_run()))
        write_json(self.results, run.document())

    def is_running(self) -> bool:
        """Whether the process that began it still lives."""
        try:
            with (self.path / _MARKER).open() as marker:
                fcntl.flock(marker, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def close(self) -> None:
        """The run has ended: whoever looks now knows that nobody is at work on it."""
        if self._held is not None:
            self._held.close()
            self._held = None


class Runs:
    """All runs of one lab."""

    def __init__(self, lab: str) -> None:
        self.lab = lab
        self.folder = runs_home() / lab

    def begin(self, after: int = 0) -> RunFolder:
        """A new run, numbered higher than every other and `after`.

        Raises ClusterlabError when it cannot be made.
        """
        try:
            with self._locked():
                number = max([after, *(run.number for run in self.all())]) + 1
                path = self._new_folder(datetime.now(UTC).strftime(_STAMP))
                (path / _MARKER).touch(mode=0o600)
                marker = (path / _MARKER).open("w")
                fcntl.flock(marker, fcntl.LOCK_EX)
                json.dump({"number": number, "process": os.getpid()}, marker)
                marker.flush()
        except OSError as error:
            raise ClusterlabError(
                f"cannot begin a run in {self.folder}: {error.strerror}", remedy="See `df` and the folder's owner."
            ) from error
        return RunFolder(path, number, marker)

    def all(self) -> list[RunFolder]:
        """Every run, the first one first."""
        folders = [path for path in self.folder.iterdir() if path.is_dir()] if self.folder.is_dir() else []
        return sorted((RunFolder(path, _number(path)) for path in folders), key=lambda run: (run.number, run.name))

    def find(self, name: str) -> RunFolder:
        """A run by its name, its number, or "last"; raises UsageError when there is none."""
        runs = self.all()
        if name == "last" and runs:
            return runs[-1]
        for run in runs:
            if name in (run.name, str(run.number)):
                return run
        newest = ", ".join(run.name for run in runs[-5:])
        remedy = f"The newest are {newest}." if runs else "`clusterlab nightly` creates one."
        raise UsageError(f"lab {self.lab} has no run {name!r}", remedy=remedy)

    def beyond(self, count: int, days: float, now: datetime | None = None) -> list[RunFolder]:
        """The runs that retention no longer keeps.

        More than `count` runs back, or older than `days`.
        """
        runs = self.all()
        now = now or datetime.now(UTC)
        old = [run for run in runs[: max(0, len(runs) - ALWAYS_KEPT)] if _age(run, now) > timedelta(days=days)]
        many = runs[: max(0, len(runs) - max(count, 1))]
        return [run for run in runs if (run in old or run in many) and not run.is_running()]

    def remove(self, runs: Sequence[RunFolder]) -> None:
        """Remove runs; raises ClusterlabError naming the first that could not be removed."""
        for run in runs:
            try:
                shutil.rmtree(run.path)
            except OSError as error:
                raise ClusterlabError(f"cannot remove the run {run.path}: {error.strerror}") from error

    def _new_folder(self, stamp: str) -> Path:
        path, again = self.folder / stamp, 1
        while path.exists():
            again += 1
            path = self.folder / f"{stamp}-{again}"
        path.mkdir(mode=0o700)
        return path

    @contextmanager
    def _locked(self) -> Iterator[None]:
        make_private(self.folder)
        path = self.folder / ".lock"
        path.touch(mode=0o600)
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def check_retention(count: int, days: float) -> None:
    """Raise UsageError when so little is to be kept that a run could remove itself."""
    if count < 1 or days < 1:
        raise UsageError("at least one run and one day must be kept", remedy="See --keep-runs and --keep-days.")


def runs_home() -> Path:
    """Where the runs of all labs are kept."""
    return state_home() / "runs"


def labs_with_runs() -> list[str]:
    """Names of the labs that have runs, sorted."""
    home = runs_home()
    return sorted(path.name for path in home.iterdir() if path.is_dir()) if home.is_dir() else []


def _number(path: Path) -> int:
    """The run's number.

    0 when its marker is damaged, so that it counts as the oldest.
    """
    try:
        return int(json.loads((path / _MARKER).read_text())["number"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _age(run: RunFolder, now: datetime) -> timedelta:
    """How long ago by its name.

    A run from the future, as a clock that was wrong names it, is new.
    """
    try:
        begun = datetime.strptime(run.name.partition("-")[0], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return timedelta(0)
    return max(timedelta(0), now - begun)

"""What is left over on this workstation: machines nobody runs, artefacts nobody uses, runs beyond their time.

Finding changes nothing. Each thing found knows how it is removed; what another command is at work on is left out.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from clusterlab.build.cache import cache_folder
from clusterlab.errors import ClusterlabError
from clusterlab.machines import recall_machines
from clusterlab.machines.snapshots import snapshots_of
from clusterlab.machines.state import LabBusy, LabState, known_labs
from clusterlab.nightly.labs import is_gone
from clusterlab.nightly.runs import Runs, labs_with_runs
from clusterlab.progress import Progress

_ALIVE = ("running", "starting", "unreachable")


@dataclass(frozen=True)
class Leftover:
    """One thing that is left over; `size` in bytes where it takes room. `remove` is None where a person must decide."""

    kind: str
    name: str
    why: str
    size: int = 0
    remove: Callable[[], None] | None = None


def of_labs(progress: Progress) -> list[Leftover]:
    """Labs with state whose machines do not run, or whose folder is gone."""
    return [found for name in known_labs() if (found := _of_lab(name, progress))]


def _of_lab(name: str, progress: Progress) -> Leftover | None:
    state = LabState(name)
    try:
        with state.lock("gc"):
            why = _why_left(name, state)
    except LabBusy:
        return None
    return Leftover("lab", name, why, _size(state.folder), lambda: _down(name, progress)) if why else None


def _why_left(name: str, state: LabState) -> str:
    try:
        record = state.read()
        if record is None:
            return "its state has no record: an `up` was ended before it began"
        machines = recall_machines(name)
        gone = is_gone(record.folder)
        if not gone and machines.kind.snapshots and snapshots_of(machines).names():
            return ""  # it is kept on purpose, for what can be restored
        if not any(status.state in _ALIVE for status in machines.status()):
            return "none of its machines runs"
        return f"its folder {record.folder} is gone, and its machines run" if gone else ""
    except ClusterlabError as error:
        return error.message


def _down(name: str, progress: Progress) -> None:
    state = LabState(name)
    with state.lock("gc"):
        try:
            readable = state.read() is not None
        except ClusterlabError:
            readable = False
        if readable:
            recall_machines(name).down(progress)
        else:
            state.remove()


def of_cache(days: float) -> list[Leftover]:
    """Artefacts not used for `days`, and what interrupted builds left.

    A machine's disk may stand on an artefact, so while any lab has state only what builds left is told.
    """
    folder = cache_folder()
    if not folder.is_dir():
        return []
    found: list[Leftover] = []
    for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
        for path in sorted(kind.iterdir()):
            found += _of_artefact(path, days, in_use=bool(known_labs()))
    return found


def _of_artefact(path: Path, days: float, in_use: bool) -> Iterator[Leftover]:
    if path.suffix == ".lock":
        return
    name = f"{path.parent.name}/{path.name}"
    if path.suffix == ".partial":
        if not _is_locked(path.with_suffix(".lock")):
            yield Leftover("image", name, "its build was interrupted", _size(path), lambda: _remove(path))
        return
    idle = (time.time() - max(path.stat().st_mtime, path.stat().st_atime)) / 86400
    if idle > days and not in_use and not _is_locked(path.with_name(f"{path.name}.lock")):
        yield Leftover("image", name, f"not used for {idle:.0f} days", _size(path), lambda: _remove(path))


def _is_locked(lock: Path) -> bool:
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def of_runs(count: int, days: float) -> list[Leftover]:
    """Runs that retention no longer keeps, and damaged histories that were put aside."""
    found = []
    for lab in labs_with_runs():
        runs = Runs(lab)
        for run in runs.beyond(count, days):
            found.append(_of_run(runs, run.path, f"beyond {count} runs or {days:g} days"))
        for path in sorted(runs.folder.glob("history.sqlite3.damaged-*")):
            found.append(Leftover("history", f"{lab}/{path.name}", "damaged, kept aside", _size(path), _removal(path)))
    return found


def _of_run(runs: Runs, path: Path, why: str) -> Leftover:
    return Leftover("run", f"{runs.lab}/{path.name}", why, _size(path), _removal(path))


def _removal(path: Path) -> Callable[[], None]:
    return lambda: _remove(path)


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise ClusterlabError(f"cannot remove {error.filename or path}: {error.strerror}") from error


def _size(path: Path) -> int:
    """Bytes on disk of a file, or of all files below a folder; what goes away meanwhile counts nothing."""
    files = path.rglob("*") if path.is_dir() else [path]
    total = 0
    for file in files:
        try:
            total += file.lstat().st_blocks * 512
        except FileNotFoundError:
            continue
    return total

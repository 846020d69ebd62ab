"""What is left over on this workstation.

Labs without a folder, artefacts nobody uses, runs beyond their time.

Finding changes nothing. Each thing found knows how it is removed; what another command is at work on is left out.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clusterlab.build.cache import cache_folder
from clusterlab.build.in_use import in_use
from clusterlab.errors import ClusterlabError
from clusterlab.files import bytes_on_disk, stats_below
from clusterlab.machines import recall_machines
from clusterlab.machines.lab_lock import LabBusy
from clusterlab.machines.paths import known_labs
from clusterlab.machines.record import UnreadableRecord
from clusterlab.machines.saved_labs import SavedFolder, saved_labs
from clusterlab.machines.state import LabState
from clusterlab.nightly.labs import is_gone
from clusterlab.nightly.runs import Runs, labs_with_runs
from clusterlab.pipeline.down import bring_down
from clusterlab.progress import Progress

_ALIVE = ("running", "starting", "unreachable")


@dataclass(frozen=True)
class Leftover:
    """One thing that is left over; `size` in bytes where it takes room.

    `remove` is None where a person must decide.
    """

    kind: str
    name: str
    why: str
    size: int = 0
    remove: Callable[[], None] | None = None


def of_labs(days: float, progress: Progress) -> list[Leftover]:
    """Labs whose folder is gone, and state of which nothing can be concluded.

    A lab that is switched off is neither.

    Only a lab of this user and this workstation is removed, when its machines do not run and nothing in its state has
    changed for `days`: its folder may be on a disk that is not mounted just now.
    """
    return [found for name in known_labs() if (found := _of_lab(name, days, progress))]


def _of_lab(name: str, days: float, progress: Progress) -> Leftover | None:
    try:
        with LabState(name).lock("gc"):
            return _left_over(name, days, progress)
    except LabBusy:
        return None


def _left_over(name: str, days: float, progress: Progress) -> Leftover | None:
    state = LabState(name)
    size = bytes_on_disk(state.folder)
    try:
        record = state.read()
    except UnreadableRecord as error:
        return Leftover("lab", name, error.message, size)
    if record is None and not any(state.folder.iterdir()):
        return Leftover("lab", name, "its state is empty: an `up` was ended before it began", size, state.remove)
    if record is None:
        return Leftover("lab", name, "its state has no record; `clusterlab down -i INVENTORY` removes it", size)
    if not record.is_mine or not is_gone(record.folder):
        return None
    why = f"its folder {record.folder} is gone"
    try:
        alive = any(status.state in _ALIVE for status in recall_machines(name).status())
    except ClusterlabError as error:
        return Leftover("lab", name, f"{why}, and its machines are unknown: {error.message}", size)
    idle = idle_days(state.folder)
    if alive and recall_machines(name).kind.creates:
        return Leftover("lab", name, f"{why}, and its machines run; `clusterlab down --lab {name}` removes it", size)
    if idle < days:
        why += f"; it was used {idle:.0f} days ago"
        return Leftover("lab", name, f"{why}; `clusterlab down --lab {name}` removes it", size)
    return Leftover("lab", name, why, size, lambda: _down(name, days, progress))


def _down(name: str, days: float, progress: Progress) -> None:
    with LabState(name).lock("gc"):
        found = _left_over(name, days, progress)  # somebody may have come back to it meanwhile
        if found is None or found.remove is None:
            raise ClusterlabError(f"lab {name} is no longer left over: it is kept")
        bring_down(name, None, progress)


def idle_days(folder: Path) -> float:
    """Days since anything below a folder changed."""
    newest = max((found.st_mtime for found in stats_below(folder)), default=0.0)
    return max(0.0, time.time() - newest) / 86400


def of_saved_labs(days: float) -> list[Leftover]:
    """Saved labs that nothing can be started from, and those not used for `days`."""
    return [found for one in saved_labs() if (found := _of_saved_lab(one, days))]


def _of_saved_lab(saved: SavedFolder, days: float) -> Leftover | None:
    try:
        with LabState(saved.lab).lock("gc"):
            idle = (time.time() - saved.last_use) / 86400
            why = saved.damage() if saved.exists else "its saving or removal was interrupted"
            if not why and idle <= days:
                return None
            why = why or f"not used for {idle:.0f} days"
            return Leftover("saved lab", saved.lab, why, saved.size, lambda: _remove_saved(saved, days))
    except LabBusy:
        return None


def _remove_saved(saved: SavedFolder, days: float) -> None:
    with LabState(saved.lab).lock("gc"):
        if _of_saved_lab(saved, days) is None:  # somebody may have started it meanwhile
            raise ClusterlabError(f"the saved lab {saved.lab} is no longer left over: it is kept")
        saved.remove()


def of_cache(days: float) -> list[Leftover]:
    """Artefacts not used for `days`, and what interrupted builds left.

    A machine's disk may stand on an artefact, so while any lab has machines only what builds left counts; and what a
    running process uses, or a saved lab stands on, stays in any case.
    """
    folder = cache_folder()
    if not folder.is_dir():
        return []
    paths = [path for kind in sorted(folder.iterdir()) if kind.is_dir() for path in sorted(kind.iterdir())]
    stood_on = any(_may_stand_on_artefacts(name) for name in known_labs())
    used = in_use(paths) | _under_saved_labs(paths)
    return [found for path in paths for found in _of_artefact(path, days, in_use=stood_on or path in used)]


def _under_saved_labs(paths: Sequence[Path]) -> set[Path]:
    """Artefacts that the disks of saved labs stand on."""
    bases = {base for saved in saved_labs() for base in saved.bases}
    return {path for path in paths if any(base.is_relative_to(path) for base in bases)}


def _may_stand_on_artefacts(lab: str) -> bool:
    try:
        record = LabState(lab).read()
        return record is None or record.inventory.kind.creates
    except UnreadableRecord:
        return True


def _of_artefact(path: Path, days: float, in_use: bool) -> Iterator[Leftover]:
    if path.suffix == ".lock":
        return
    name = f"{path.parent.name}/{path.name}"
    if path.suffix == ".partial":
        if not _is_locked(path.with_suffix(".lock")):
            yield Leftover("image", name, "its build was interrupted", bytes_on_disk(path), lambda: _remove(path))
        return
    try:
        found = path.stat()
    except FileNotFoundError:  # a build that ended, or another command, took it away meanwhile
        return
    idle = (time.time() - max(found.st_mtime, found.st_atime)) / 86400
    if idle > days and not in_use and not _is_locked(path.with_name(f"{path.name}.lock")):
        yield Leftover(
            "image", name, f"not used for {idle:.0f} days", bytes_on_disk(path), lambda: _remove_unused(path)
        )


def _remove_unused(path: Path) -> None:
    if in_use([path]) or _under_saved_labs([path]):  # somebody may have started or saved a machine meanwhile
        raise ClusterlabError(f"{path} is in use again: it is kept")
    _remove(path)


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
    """Runs that retention no longer keeps, and damaged histories moved aside."""
    found = []
    for lab in labs_with_runs():
        runs = Runs(lab)
        for run in runs.beyond(count, days):
            found.append(_of_run(runs, run.path, f"beyond {count} runs or {days:g} days"))
        for path in sorted(runs.folder.glob("history.sqlite3.damaged-*")):
            found.append(
                Leftover("history", f"{lab}/{path.name}", "damaged, kept aside", bytes_on_disk(path), _removal(path))
            )
    return found


def _of_run(runs: Runs, path: Path, why: str) -> Leftover:
    return Leftover("run", f"{runs.lab}/{path.name}", why, bytes_on_disk(path), _removal(path))


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

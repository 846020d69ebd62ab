"""Artefacts that take long to build and are kept.

Under the XDG cache, named by a hash of what they are made from.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.progress import Progress


def cache_folder() -> Path:
    """Where artefacts are kept: `clusterlab` in the XDG cache directory."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "clusterlab"


def artefact_path(kind: str, key_material: Sequence[str], suffix: str) -> Path:
    """The path of the artefact of this `kind` made from `key_material`.

    It need not exist yet.
    """
    return cache_folder() / kind / (_digest(key_material) + suffix)


def artefact(
    kind: str,
    key_material: Sequence[str],
    suffix: str,
    make: Callable[[Path], None],
    progress: Progress,
) -> Path:
    """The file or folder of this `kind` made from `key_material`, from the cache.

    It is made now when it is not there yet.

    `make` gets the path to write to; the folder around it is its own to use and removed afterwards. What it made gets
    its final name only when `make` returned, so nothing half-built is ever used, and what an interrupted build left
    behind is removed by the next one. Two processes that want the same artefact make it once: the second waits.
    """
    final = artefact_path(kind, key_material, suffix)
    folder, name = final.parent, final.name
    if final.exists():
        return final
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / f"{name}.lock", lambda: progress.say(kind, "waiting: another clusterlab is building it")):
        if not final.exists():
            _remove_leftovers(folder, keep_lock=name)
            _make(folder / f"{name}.partial", final, make)
    return final


def _digest(key_material: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(key_material).encode()).hexdigest()[:32]


def _make(scratch: Path, final: Path, make: Callable[[Path], None]) -> None:
    scratch.mkdir()
    try:
        made = scratch / final.name
        make(made)
        if not made.exists():
            raise ClusterlabError(f"{final} was not created, and no error was raised: this is a bug in clusterlab")
        made.rename(final)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _locked(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file `path`.

    It is removed at the end, so what is locked is checked to be still the file there.
    """
    while True:
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                on_wait()
                fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_file_at(lock.fileno(), path):
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _is_file_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove_leftovers(folder: Path, keep_lock: str) -> None:
    """Remove what builds that were killed left here.

    A build that is under way holds its lock and is kept.
    """
    for scratch in folder.glob("*.partial"):
        name = scratch.name.removesuffix(".partial")
        if name == keep_lock:
            shutil.rmtree(scratch, ignore_errors=True)
            continue
        with (folder / f"{name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(scratch, ignore_errors=True)
            (folder / f"{name}.lock").unlink(missing_ok=True)

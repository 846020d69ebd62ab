"""What becomes of an `up` that fails.

Logs are kept, what was new is removed, and the first error stays in front.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clusterlab.collecting import collecting
from clusterlab.errors import ClusterlabError, HostError

from .state import LabState

_FULL = 1 << 20
"""A disk with less than this many bytes free is full."""


@contextmanager
def undone_on_failure(
    state: LabState, collect: Callable[[Path], None], undo: Callable[[], None], *, keep: bool
) -> Iterator[None]:
    """Collect logs and undo what the block made, when it fails.

    With `keep`, everything stays as it is.

    Raises the block's own error as a ClusterlabError, whatever else goes wrong then; its remedy adds where the logs
    are, or why they could not be kept, and what could not be removed.
    """
    try:
        yield
    except (ClusterlabError, OSError) as error:
        known = explained(error)
        notes = [_full(state.folder), known.remedy]
        if not keep:
            notes.append(_kept(state.failure_logs, collect))
            try:
                undo()
            except (ClusterlabError, OSError) as left:
                notes.append(
                    f"some of what was new could not be removed ({explained(left).message}): run clusterlab down"
                )
        known.remedy = "; ".join(note for note in notes if note)
        if known is error:
            raise
        raise known from error


@contextmanager
def os_errors(host: str) -> Iterator[None]:
    """Turn an error of this computer into one of ours that names the host.

    An error such as a full disk or too many open files.
    """
    try:
        yield
    except OSError as error:
        found = explained(error)
        raise HostError(host, found.message, remedy=found.remedy) from error


def explained(error: ClusterlabError | OSError) -> ClusterlabError:
    """The error as one of ours; a full disk is named as such."""
    if isinstance(error, ClusterlabError):
        return error
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" ({error.filename})" if error.filename else ""
        return ClusterlabError(
            f"no space left on this computer's disk{where}",
            remedy="free some space, or set XDG_STATE_HOME and XDG_CACHE_HOME to folders elsewhere; then run up again",
        )
    return ClusterlabError(f"the machines could not be created: {error}")


def _full(folder: Path) -> str:
    """The message when the disk of a folder is full.

    Whatever an engine or QEMU made of that.
    """
    while not folder.exists():
        folder = folder.parent
    return (
        f"no space is left on the disk of {folder}: free some space" if shutil.disk_usage(folder).free < _FULL else ""
    )


def _kept(folder: Path, collect: Callable[[Path], None]) -> str:
    """Collect the logs where they outlive the machines.

    Those of an earlier failure make room. Returns what to say.
    """
    try:
        if folder.exists():
            shutil.rmtree(folder)
        with collecting(folder) as logs:
            collect(logs.folder)
    except (ClusterlabError, OSError) as error:
        return f"not all logs could be kept in {folder}: {error}"
    return f"logs are kept in {folder} ({logs})" if logs.files else ""

"""Writing files whole or not at all, and looking at files that may go meanwhile."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

PRIVATE = 0o600


def write_atomically(path: Path, content: str | bytes, mode: int = PRIVATE) -> None:
    """Replace a file so that neither a reader nor a crash ever sees half of it.

    The content goes to a temporary file of an unpredictable name in the same folder, which must exist, and is on the
    disk before the file takes its name. `mode` is exact, whatever the umask is. Text is written as UTF-8. Raises
    OSError; the temporary file is removed then.
    """
    data = content.encode() if isinstance(content, str) else content
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()  # on a full disk, half a file would take room for nothing
        raise


def make_private(folder: Path) -> None:
    """Create a folder for this user alone, its missing parents too.

    `Path.mkdir` gives these everybody's mode.
    """
    for path in reversed([folder, *folder.parents]):
        if not path.is_dir():
            path.mkdir(mode=0o700, exist_ok=True)


def stats_below(path: Path) -> Iterator[os.stat_result]:
    """What lstat says of a file, or of a folder and all below it. What goes away meanwhile is left out."""
    below = (Path(folder, name) for folder, folders, files in os.walk(path) for name in (*folders, *files))
    for file in chain((path,), below):
        with suppress(FileNotFoundError, NotADirectoryError):
            yield file.lstat()


def bytes_on_disk(path: Path) -> int:
    """Bytes that a file takes, or a folder with all below it."""
    return sum(found.st_blocks * 512 for found in stats_below(path))

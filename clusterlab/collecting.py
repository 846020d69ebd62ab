"""Logs that were collected from machines.

Cleaned of secrets and control characters, for this user alone.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.files import make_private, write_atomically
from clusterlab.redaction import clean, count, secrets_text

_MOST = 32 * 1024 * 1024
"""Bytes of one log that are kept: its end."""


@dataclass
class Collected:
    """What came together; the numbers are complete when collecting has ended."""

    folder: Path
    """Where logs are written to while collecting goes on: a folder of its own that nobody else can read."""
    files: int = 0
    redacted: int = 0

    def __str__(self) -> str:
        files = "1 file" if self.files == 1 else f"{self.files} files"
        return f"{files}, {secrets_text(self.redacted) or 'no secrets'} redacted"


@contextmanager
def collecting(target: Path) -> Iterator[Collected]:
    """Clean what the block writes into the folder, then move it to `target`.

    That happens also when the block fails: what could be collected is wanted most then. Files get the mode 0600 and
    folders 0700; others in `target` stay as they are. Raises ClusterlabError when files cannot be written.
    """
    try:
        make_private(target.parent)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise _unwritable(error) from error
    collected = Collected(scratch)
    try:
        try:
            yield collected
        finally:
            _move(collected, target)
    except OSError as error:
        raise _unwritable(error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _move(collected: Collected, target: Path) -> None:
    for path in sorted(collected.folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            text = clean(_tail(path))
            there = target / path.relative_to(collected.folder)
            make_private(there.parent)
            write_atomically(there, text)
            collected.files += 1
            collected.redacted += count(text)


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - _MOST))
        text = file.read().decode(errors="replace")
    return text if size <= _MOST else f"({size - _MOST} bytes before)\n{text.partition(chr(10))[2]}"


def _unwritable(error: OSError) -> ClusterlabError:
    return ClusterlabError(
        f"logs cannot be written: {error.filename}: {error.strerror}", remedy="`df` shows whether the disk is full."
    )

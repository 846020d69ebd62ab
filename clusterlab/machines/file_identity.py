"""Whether a file is still the very one that it was.

What a saved state stands on has a path that names what it was built from. Built again, it has the same path and other
blocks, so that neither its path nor its size tells.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class FileIdentity(BaseModel):
    """What a file that is rebuilt, replaced or written to does not keep."""

    model_config = ConfigDict(frozen=True)

    size: int
    inode: int
    modified: int
    """Nanoseconds since the epoch."""


def identity(path: Path) -> FileIdentity | None:
    """The file's identity now; None when there is no such file."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return FileIdentity(size=found.st_size, inode=found.st_ino, modified=found.st_mtime_ns)


def changed_base(bases: dict[Path, FileIdentity]) -> str:
    """Why disks that stood on these files can no longer be used; empty when all are as they were."""
    for path, before in bases.items():
        now = identity(path)
        if now != before:
            change = "no longer exists" if now is None else "is another file by now"
            return f"{path}, which its disks are based on, {change}"
    return ""

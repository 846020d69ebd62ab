"""What is mounted where, as the kernel reports it at a place: proc_mounts(5)."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from .place import NotUnderstood, Place
from .places import Places

COMMAND = ["cat", "/proc/mounts"]


@dataclass(frozen=True)
class Mount:
    """A line of /proc/mounts, proc_mounts(5)."""

    source: str
    path: str
    type: str
    options: tuple[str, ...]


def parse(text: str) -> list[Mount]:
    """Read /proc/mounts; blanks in names are written there as octal escapes.

    Raises ValueError for anything else.
    """
    mounts = []
    for line in text.splitlines():
        fields = line.split(" ")
        if len(fields) != 6:
            raise ValueError(f"not a line of /proc/mounts: {line!r}")
        source, path, kind, options = (_unescape(field) for field in fields[:4])
        mounts.append(Mount(source, path, kind, tuple(options.split(","))))
    return mounts


def mount_of(path: str, mounts: list[Mount]) -> Mount | None:
    """The mount that holds a path: the longest one above it.

    Of several on one path the last covers the others.
    """
    path = posixpath.normpath(path)
    holding = [m for m in mounts if path == m.path or path.startswith(m.path.rstrip("/") + "/")]
    return max(enumerate(holding), key=lambda item: (len(item[1].path), item[0]))[1] if holding else None


def read_mounts(place: Place, places: Places) -> list[Mount]:
    """The mounts at a place. Raises NotUnderstood."""
    completed = places.run(place, COMMAND)
    try:
        mounts = parse(completed.stdout) if completed.ok else []
    except ValueError as error:
        raise NotUnderstood(str(error), command=place.typed(COMMAND), detail=completed.output) from error
    if not mounts:
        raise NotUnderstood(
            f"/proc/mounts could not be read: {completed.output}", command=place.typed(COMMAND), detail=completed.output
        )
    return mounts


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)

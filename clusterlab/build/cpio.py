"""Write the archive that the kernel unpacks as its first root file system.

The format is cpio, "newc".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

_FILE, _FOLDER = 0o100000, 0o040000


def archive(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """An archive of `files` and the folders that they are in, owned by root.

    `files` maps a path to content and mode.

    The form is described in the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
    """
    folders = {str(parent): None for path in files for parent in reversed(PurePosixPath(path).parents) if parent.name}
    entries = [_entry(number, path, b"", _FOLDER | 0o755) for number, path in enumerate(folders, start=1)]
    entries += [
        _entry(number, path, content, _FILE | mode)
        for number, (path, (content, mode)) in enumerate(files.items(), start=len(folders) + 1)
    ]
    return b"".join(entries) + _entry(0, "TRAILER!!!", b"", 0)


def _entry(inode: int, path: str, content: bytes, mode: int) -> bytes:
    name = path.encode() + b"\0"
    links = 1
    fields = (inode, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)

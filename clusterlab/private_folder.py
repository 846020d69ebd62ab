"""Folders that nobody else may read or change, checked before they are used."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from clusterlab.errors import ClusterlabError


def make_private(folder: Path) -> None:
    """Create a folder for this user alone, with those above it, or check that an existing one is that.

    Where others can write, as in /tmp, somebody else may have created one of this name, or a symbolic link to a place
    of theirs, before. Raises ClusterlabError for a link, for another owner, and for a mode that lets others in.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        check_private(folder)


def check_private(folder: Path, *, others_read: bool = False) -> None:
    """Raise ClusterlabError unless this user alone can use an existing folder; see `make_private`.

    With `others_read`, others may read it, but not write to it.
    """
    status = folder.lstat()
    if stat.S_ISLNK(status.st_mode):
        problem = "is a symbolic link"
    elif not stat.S_ISDIR(status.st_mode):
        problem = "is not a folder"
    elif status.st_uid != os.geteuid():
        problem = f"belongs to another user (uid {status.st_uid})"
    elif status.st_mode & (0o022 if others_read else 0o077):
        problem = f"lets others in (mode {stat.S_IMODE(status.st_mode):04o})"
    else:
        return
    raise ClusterlabError(
        f"{folder} {problem}: clusterlab does not use it",
        remedy="find out who created it, and remove it; it should belong to you alone (chmod 0700)",
    )

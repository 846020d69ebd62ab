"""A look at folders before secrets go there.

Where others can write, as in /tmp, somebody else may have created a folder of that name before, or a symbolic link to a
place of theirs.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from clusterlab.errors import ClusterlabError


def check_private(folder: Path, *, others_read: bool = False) -> None:
    """Raise ClusterlabError unless an existing folder belongs to this user alone.

    No link, another owner, or open mode.

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

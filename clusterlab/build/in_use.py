"""Which artefacts of the cache running processes use, as the kernel shows it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def in_use(artefacts: Iterable[Path]) -> frozenset[Path]:
    """Those that a process has open or mounted.

    The disk of a running machine, the root file system of a host.

    The state of labs does not show it, as another state folder (XDG_STATE_HOME) may have labs with the same cache. Only
    processes that this user may look at are seen, and those are the ones that can use this user's cache. See proc(5).
    """
    wanted = {path.name: path for path in artefacts}  # names are hashes, so a name stands for its path
    spaces: set[str] = set()
    used: set[str] = set()
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            seen = " ".join((*_open_files(process), _mounts(process, spaces)))
            used |= {name for name in wanted if name in seen}
    return frozenset(wanted[name] for name in used)


def _open_files(process: Path) -> list[str]:
    found = []
    try:
        for file in (process / "fd").iterdir():
            found.append(os.readlink(file))
    except OSError:  # it ended meanwhile, or is another user's
        pass
    return found


def _mounts(process: Path, spaces: set[str]) -> str:
    """Its mounts, unless a process with the same ones was seen before.

    `spaces` are the mount namespaces seen.
    """
    try:
        space = os.readlink(process / "ns" / "mnt")
        if space in spaces:
            return ""
        mounts = (process / "mountinfo").read_text(errors="replace")
    except OSError:
        return ""
    spaces.add(space)
    return mounts

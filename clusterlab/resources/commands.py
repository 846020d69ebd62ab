"""Running a command that changes a host, and saying what to do when it does not work."""

from __future__ import annotations

import re

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.remote import Host
from clusterlab.remote.host import Completed

_REMEDIES = (
    (
        r"No space left on device|not enough free space",
        "its disk is full",
        "Free space there (`df -h`, `apt-get clean`, `docker system df` show where it went).",
    ),
    (
        r"Read-only file system",
        "its file system is read-only",
        "See `dmesg` and `mount` there: a file system with errors is mounted read-only.",
    ),
    (
        r"Permission denied|Operation not permitted|are you root\?|must be (run as )?root|Access denied",
        "not enough rights",
        "Log in as root, or set `ssh: {become: true}` in the inventory for a user who may use sudo.",
    ),
)
_TAIL = 30  # lines of output kept with an error


def do(
    host: Host,
    command: str,
    doing: str,
    *,
    timeout: float = 120.0,
    remedies: tuple[tuple[str, str, str], ...] = (),
    remedy: str = "",
) -> Completed:
    """Run `command`, which must succeed; `doing` completes the sentence "cannot ...".

    `remedies` are (regular expression in the output, what that means, what to do), looked at before those that
    every command shares; `remedy` is for all else. Raises HostError with the end of the output, DeadlineExceeded.
    """
    completed = host.run(command, timeout=timeout)
    if not completed.ok:
        raise failure(host.name, doing, completed.output, remedies=remedies, remedy=remedy)
    return completed


def failure(
    host: str,
    doing: str,
    output: str,
    *,
    remedies: tuple[tuple[str, str, str], ...] = (),
    remedy: str = "",
) -> ClusterlabError:
    """The error of a command that did not work, from what it said; see `do`."""
    detail = "\n".join(output.splitlines()[-_TAIL:])
    for pattern, meaning, advice in (*remedies, *_REMEDIES):
        if re.search(pattern, output, re.IGNORECASE):
            return HostError(host, f"cannot {doing}: {meaning}", remedy=advice, detail=detail)
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "it said nothing")
    return HostError(host, f"cannot {doing}: {last}", remedy=remedy, detail=detail)

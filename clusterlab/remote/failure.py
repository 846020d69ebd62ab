"""What a failed command or a refusing engine said, as an error with a remedy."""

from __future__ import annotations

import re

from clusterlab.errors import HostError

Remedies = tuple[tuple[str, str, str], ...]
"""Each: a regular expression for the output, what that means, and what to do."""

_COMMON: Remedies = (
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


def failure(host: str, doing: str, output: str, *, remedies: Remedies = (), remedy: str = "") -> HostError:
    """The error of something that failed on a host.

    `doing` completes the sentence "cannot ...".

    `remedies` are tried on the output before those that everything shares; `remedy` is for all else. The end of the
    output becomes the error's detail.
    """
    detail = "\n".join(output.splitlines()[-_TAIL:])
    for pattern, meaning, advice in (*remedies, *_COMMON):
        if re.search(pattern, output, re.IGNORECASE):
            return HostError(host, f"cannot {doing}: {meaning}", remedy=advice, detail=detail)
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "there was no output")
    return HostError(host, f"cannot {doing}: {last}", remedy=remedy, detail=detail)

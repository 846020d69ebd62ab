"""apt on a host: what it knows of packages, installing and removing them, and what its errors mean."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Sequence

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.progress import Progress
from clusterlab.remote import Host
from clusterlab.remote.failure import failure
from clusterlab.waiting import wait_until

from .commands import do

_LOCKED_FOR = 900.0  # seconds to wait for another package manager; a first automatic upgrade takes minutes
_INSTALL = 1800.0  # seconds for the installation itself
_POLL = 2.0
_SAY_AGAIN = 30.0

# fcntl(2) locks and the processes that hold them, by inode: fuser is not part of a minimal system.
_HOLDERS = r"""
for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
    inode=$(stat -c %i "$lock" 2>/dev/null) || continue
    awk -v end=":$inode" 'substr($6, length($6) - length(end) + 1) == end {print $5}' /proc/locks
done | sort -u | while read -r pid; do
    [ "$pid" -gt 0 ] 2>/dev/null || { echo "another process"; continue; }
    echo "$(tr '\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | cut -c1-80) (process $pid)"
done
"""

_REMEDIES = (
    (
        r"Temporary failure resolving|Could not resolve|Network is unreachable|Unable to connect|"
        r"Connection (refused|timed out)|Could not connect|No route to host",
        "apt cannot reach its package source",
        "Give the host network access or a mirror it reaches (/etc/apt/sources.list, /etc/apt/apt.conf.d), or install "
        "the packages yourself.",
    ),
    (
        r"Unable to locate package|has no installation candidate",
        "its package sources do not have one of them",
        "Check /etc/apt/sources.list*: on Ubuntu the component `universe` is needed.",
    ),
    (
        r"Packages need to be removed but remove is disabled",
        "another package of the host would have to be removed for that",
        "`apt-get install --simulate` there shows which; install by yourself what may take its place.",
    ),
    (
        r"dpkg was interrupted|you must manually run|Unmet dependencies",
        "an earlier installation was interrupted",
        "Run `dpkg --configure -a && apt-get --fix-broken install` there.",
    ),
    (
        r"Could not get lock|Unable to lock|Unable to acquire the dpkg",
        "another package manager is at work",
        "Wait until it ends, then run the same command again.",
    ),
    (
        r"404 +Not Found|Failed to fetch|Unable to fetch",
        "apt could not fetch a package",
        "Check /etc/apt/sources.list* and the mirror.",
    ),
)


def question(names: Sequence[str]) -> str:
    """Script that prints name, status and version of each package that dpkg knows."""
    return rf"dpkg-query -W -f '${{Package}} ${{db:Status-Status}} ${{Version}}\n' {shlex.join(names)}"


def installed(answer: str) -> dict[str, str]:
    """Versions of the installed packages in the answer to `question`."""
    rows = [line.split() for line in answer.splitlines()]
    return {row[0]: row[2] for row in rows if len(row) == 3 and row[1] == "installed"}


def unpacked(answer: str) -> set[str]:
    """Packages of which more than configuration is on the host.

    Whether or not they are configured.
    """
    rows = [line.split() for line in answer.splitlines()]
    return {row[0] for row in rows if len(row) > 1 and row[1] not in ("not-installed", "config-files")}


def uninstall(host: Host, names: Sequence[str], doing: str) -> None:
    apt = "DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600"
    simulated = do(host, f"{apt} -s remove {shlex.join(names)}", doing, timeout=120).stdout
    others = sorted(set(re.findall(r"^Remv (\S+)", simulated, re.MULTILINE)) - set(names))
    if others:
        raise HostError(
            host.name,
            f"cannot {doing}: {', '.join(others)} would be removed too",
            remedy="Remove them yourself if nothing needs them, or leave all of them installed.",
        )
    do(host, f"{apt} -y remove {shlex.join(names)}", doing, timeout=_INSTALL, remedies=_REMEDIES)


def install(host: Host, names: Sequence[str]) -> ClusterlabError | None:
    """Install packages; returns why apt failed."""
    doing = f"install {' '.join(names)}"
    # apt-get waits for dpkg's own lock by itself, should another one be quicker now.
    apt = "DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=2"
    update = host.run(f"{apt} update", timeout=600)
    install = host.run(
        f"{apt} -o Dpkg::Options::=--force-confold install -y --no-remove --no-install-recommends {shlex.join(names)}",
        timeout=_INSTALL,
    )
    if install.ok:
        return None
    # A package is unknown because the lists could not be fetched: then that is what must be said.
    unknown = "Unable to locate" in install.output or "no installation candidate" in install.output
    said = f"{update.output}\n{install.output}" if unknown else install.output
    return failure(host.name, doing, said, remedies=_REMEDIES)


def wait_until_unlocked(host: Host, progress: Progress) -> None:
    began, said_at, locked = time.monotonic(), float("-inf"), ""

    def unlocked() -> bool:
        nonlocal said_at, locked
        holders = do(host, _HOLDERS, "find out who holds the package manager's locks").stdout.split("\n")[:-1]
        locked, waited = f"locked by {', '.join(holders)}", time.monotonic() - began
        if holders and waited - said_at >= _SAY_AGAIN:
            said_at = waited
            progress.say(host.name, f"waiting for the package manager: {locked}, {waited:.0f} s")
        return not holders

    wait_until(
        unlocked,
        "the package manager",
        _LOCKED_FOR,
        subject=host.name,
        seen=lambda: locked,
        remedy="End that process, or wait for it, and run the same command again.",
        longest_pause=_POLL,
    )

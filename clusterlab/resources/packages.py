"""Packages of the distribution, installed with apt; a package that is there stays as it is, whatever its version."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Sequence
from functools import partial

from clusterlab.errors import DeadlineExceeded
from clusterlab.progress import Progress
from clusterlab.remote import Host
from clusterlab.remote.failure import failure
from clusterlab.resources.base import Change, Difference, Key
from clusterlab.resources.commands import do
from clusterlab.resources.system import System

_PROVIDES = {  # how a system without dpkg shows that it has what the package brings
    "nfs-common": "mount.nfs",
    "nfs-kernel-server": "exportfs",
    "curl": "curl",
    "iputils-ping": "ping",
    "docker.io": "dockerd",
    "docker-cli": "docker",
    "tgt": "tgtadm",
    "open-iscsi": "iscsiadm",
    "xfsprogs": "mkfs.xfs",
    "e2fsprogs": "mkfs.ext4",
}
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
        "the packages by hand.",
    ),
    (
        r"Unable to locate package|has no installation candidate",
        "its package sources do not have one of them",
        "Check /etc/apt/sources.list*: on Ubuntu the component `universe` is needed.",
    ),
    (
        r"dpkg was interrupted|you must manually run|Unmet dependencies",
        "an earlier installation did not end",
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


def change(
    host: Host, system: System, wanted: Sequence[str], present: dict[str, str], progress: Progress
) -> Change | None:
    """Install what is missing of `wanted`, all at once: a package manager does one thing at a time."""
    if system.has_apt:
        missing = [name for name in wanted if name not in present]
    else:
        missing = [name for name in wanted if _PROVIDES.get(name, name) not in system.commands]
    if not missing:
        return None
    names = " ".join(missing)
    foreign = (
        ""
        if system.has_apt
        else (
            f"{host.name} runs {system.name}, and clusterlab installs packages on Debian and Ubuntu only: "
            f"install what brings {', '.join(_PROVIDES.get(name, name) for name in missing)} by hand"
        )
    )
    return Change(
        key=Key(host.name, "packages", names),
        action="install",
        reason="not installed" if len(missing) > 1 else f"{names} is not installed",
        command=f"apt-get update && apt-get install --no-install-recommends {names}",
        carry_out=partial(_install, host, missing, progress),
        differences=tuple(Difference(name, "installed", "absent") for name in missing),
        blocked=foreign,
    )


def _install(host: Host, names: Sequence[str], progress: Progress) -> None:
    doing = f"install {' '.join(names)}"
    _wait_until_unlocked(host, progress)
    # apt-get waits for dpkg's own lock by itself, should another one be quicker now.
    apt = "DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=2"
    update = host.run(f"{apt} update", timeout=600)
    install = host.run(
        f"{apt} -o Dpkg::Options::=--force-confold install -y --no-install-recommends {shlex.join(names)}",
        timeout=_INSTALL,
    )
    if not install.ok:
        # A package is unknown because the lists could not be fetched: then that is what must be said.
        unknown = "Unable to locate" in install.output or "no installation candidate" in install.output
        said = f"{update.output}\n{install.output}" if unknown else install.output
        raise failure(host.name, doing, said, remedies=_REMEDIES)


def _wait_until_unlocked(host: Host, progress: Progress) -> None:
    began = time.monotonic()
    said_at = float("-inf")
    while holders := do(host, _HOLDERS, "ask who holds the package manager's locks").stdout.split("\n")[:-1]:
        waited = time.monotonic() - began
        if waited > _LOCKED_FOR:
            raise DeadlineExceeded(
                f"{host.name}: the package manager is still locked after {waited:.0f} s, by {', '.join(holders)}",
                remedy="End that process, or wait for it, and run the same command again.",
            )
        if waited - said_at >= _SAY_AGAIN:
            said_at = waited
            progress.say(host.name, f"waiting for the package manager: locked by {', '.join(holders)}, {waited:.0f} s")
        threading.Event().wait(_POLL)

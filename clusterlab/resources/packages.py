"""Packages of the distribution, installed with apt.

An installed package stays as it is, whatever its version.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.model.lab import Lab
from clusterlab.progress import Progress
from clusterlab.remote import Host
from clusterlab.remote.failure import failure
from clusterlab.waiting import wait_until

from . import docker_engine, package_users, record
from .base import Change, Difference, Key, Skipped
from .commands import do
from .host_kind import HostKind, Role, pending_on, system_of
from .observed import Observed
from .roles import roles
from .scope import Scope, Wants

FLAG = "--packages"
_PROVIDES = {  # how a system without dpkg shows that it has what the package brings
    "nfs-common": "mount.nfs",
    "nfs-kernel-server": "exportfs",
    "curl": "curl",
    "iputils-ping": "ping",
    "docker.io": "dockerd",
    "docker-cli": "docker",
    "tgt": "tgtadm",
    "docker-registry": "docker-registry",
    "openssl": "openssl",
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


@dataclass(frozen=True)
class Package:
    """A package on a host.

    `version` is empty when it is not installed, `recorded` when provision installed it.
    """

    version: str
    recorded: bool = False


class PackageKind(HostKind[str, Package]):
    """Packages that roles need.

    All that a host lacks are one change: a package manager does one thing at a time.
    """

    name = "package"
    underlies = True
    shared = True

    def asked(self, lab: Lab, host: str) -> Iterator[tuple[Role, str]]:
        has = roles(lab, host)
        names = [Role(name) for name in ("nfs-common", "curl", "iputils-ping") if has.docker]
        names += [Role("nfs-kernel-server")] if has.nfs_server else []
        names += [Role("tgt")] if has.iscsi_target else []
        names += [Role("docker-registry"), Role("openssl")] if has.registry else []
        names += [Role(name, "iscsi") for name in ("open-iscsi", "xfsprogs", "e2fsprogs") if has.logs_in]
        yield from ((role, role.name) for role in names)

    def left_out(self, wants: Wants) -> Iterator[Skipped]:
        yield from ()  # the unit or module that needs the package says it

    def manual(self, wanted: str) -> str:
        return _command([wanted])

    def questions(self, at: Observed, wanted: Mapping[Key, str] | None) -> Mapping[str, str]:
        names = list(record.entries(at, self.name)) if wanted is None else [key.name for key in wanted]
        if not names:
            return {}
        return {self.name: question(names), **(package_users.questions(names) if wanted is None else {})}

    def observe(self, scope: Scope) -> Mapping[Key, Package]:
        found = {}
        for at in scope.everywhere:
            recorded, versions = record.entries(at, self.name), installed(at.answers.get(self.name, ""))
            for name in dict.fromkeys([*versions, *recorded]):
                found[Key(at.name, self.name, name)] = Package(versions.get(name, ""), name in recorded)
        return found

    def differences(self, wanted: str, found: Package) -> Sequence[Difference]:
        return () if found.version else (Difference(wanted, "installed", "absent"),)

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: str, found: Package | None) -> Change | None:
        return change(scope.at(key), [wanted], scope.progress)

    def changes(self, wants: Wants, scope: Scope) -> Iterator[Change]:
        """Packages of roles, and those of an engine where none answers."""
        engines = wants.lab.inventory.docker_hosts
        wanted = self.wanted(wants)
        for at in scope.everywhere:
            names = [key.name for key in wanted if key.host == at.name]
            if at.name in engines and not at.info:
                names += docker_engine.packages(system_of(at))
            made = change(at, names, scope.progress)
            if made:
                yield made

    def owns(self, lab: str, found: Package) -> bool:
        return found.recorded

    def kept(self, scope: Scope, key: Key, found: Package) -> str:
        if not found.version:
            return ""
        if FLAG not in scope.allowed:
            return f"packages stay unless {FLAG} is given"
        if key.name not in package_users.KNOWN:
            return "clusterlab does not know who uses it"
        at = scope.at(key)
        if users := package_users.users(scope, at, key.name):
            return f"others use it: {', '.join(users)}"
        if needing := self._staying(scope, at, package_users.dependent(at, key.name)):
            return f"{', '.join(needing)} need{'s' if len(needing) == 1 else ''} it"
        return ""

    def _staying(self, scope: Scope, at: Observed, names: Collection[str]) -> list[str]:
        """Those packages that deprovision leaves: which provision did not install, or which others use, too."""
        recorded, of_labs = record.entries(at, self.name), record.others(at, self.name)
        removable = (recorded.keys() & package_users.KNOWN) - of_labs.keys()
        return sorted(one for one in names if one not in removable or package_users.users(scope, at, one))

    def rest(self, key: Key, found: Package) -> str:
        if not found.version:
            return ""
        return "its configuration, and packages that it needed: `apt-get autoremove` there shows these"

    def remove(self, scope: Scope, key: Key, found: Package, reason: str) -> Change | None:
        """Remove what provision installed on a host and may go, and nothing else.

        Fails when others need one of them. Of packages that are gone already, only the record goes.
        """
        at = scope.at(key)
        if pending_on(scope, at.name, "packages"):
            return None
        others = record.others(at, self.name)
        going = {
            one.name: package
            for one, package in self.observe(scope).items()
            if one.host == at.name
            and package.recorded
            and one.name not in others
            and not self.kept(scope, one, package)
        }
        names, there = list(going), [name for name, package in going.items() if package.version]
        return Change(
            key=Key(at.name, "packages", " ".join(names)),
            action="remove" if there else "forget",
            reason=reason if there else "somebody has removed what provision installed",
            command=f"apt-get remove {' '.join(there)}"
            if there
            else shlex.join(["rm", "-f", *(record.path(at.lab, self.name, name) for name in names)]),
            carry_out=partial(_remove, at.host, at.lab, names, scope.progress),
        )


PACKAGE = PackageKind()


def question(names: Sequence[str]) -> str:
    """Script that prints name, status and version of each package that dpkg knows."""
    return rf"dpkg-query -W -f '${{Package}} ${{db:Status-Status}} ${{Version}}\n' {shlex.join(names)}"


def installed(answer: str) -> dict[str, str]:
    """Versions of the installed packages in the answer to `question`."""
    rows = [line.split() for line in answer.splitlines()]
    return {row[0]: row[2] for row in rows if len(row) == 3 and row[1] == "installed"}


def _unpacked(answer: str) -> set[str]:
    """Packages of which more than configuration is on the host.

    Whether or not they are configured.
    """
    rows = [line.split() for line in answer.splitlines()]
    return {row[0] for row in rows if len(row) > 1 and row[1] not in ("not-installed", "config-files")}


def change(at: Observed, wanted: Sequence[str], progress: Progress) -> Change | None:
    """Install what a host lacks of `wanted`, all at once."""
    system, present = system_of(at), installed(at.answers.get(PACKAGE.name, ""))
    if system.has_apt:
        missing = [name for name in wanted if name not in present]
    else:
        missing = [name for name in wanted if _PROVIDES.get(name, name) not in system.commands]
    if not missing:
        return None
    names = " ".join(missing)
    unsupported = (
        ""
        if system.has_apt
        else (
            f"{at.name} runs {system.name}, and clusterlab installs packages on Debian and Ubuntu only: "
            f"install what provides {', '.join(_PROVIDES.get(name, name) for name in missing)} yourself"
        )
    )
    return Change(
        key=Key(at.name, "packages", names),
        action="install",
        reason="not installed" if len(missing) > 1 else f"{names} is not installed",
        command=_command(missing),
        carry_out=partial(_record_and_install, at.host, at.lab, missing, progress),
        differences=tuple(Difference(name, "installed", "absent") for name in missing),
        blocked=unsupported,
    )


def _command(names: Sequence[str]) -> str:
    return f"apt-get update && apt-get install --no-install-recommends {' '.join(names)}"


def _record_and_install(host: Host, lab: str, names: Sequence[str], progress: Progress) -> None:
    """Install packages.

    When apt fails, the record keeps those that are nevertheless on the host.

    When apt does not end in time it keeps all of them: apt may still be at work.
    """
    _wait_until_unlocked(host, progress)
    record.remember(host, lab, PACKAGE.name, dict.fromkeys(names), shared=True)
    if error := _install(host, names):
        known = host.run(question(names))
        if known.exit <= 1:  # 1: dpkg does not know one of them; any other code means nothing, see dpkg-query(1)
            there = _unpacked(known.stdout)
            record.forget(host, lab, PACKAGE.name, [name for name in names if name not in there])
        raise error


def _remove(host: Host, lab: str, names: Sequence[str], progress: Progress) -> None:
    doing = f"remove {' '.join(names)}"
    present = installed(host.run(question(names)).stdout)
    if present:
        _wait_until_unlocked(host, progress)
        _uninstall(host, [name for name in names if name in present], doing)
    record.forget(host, lab, PACKAGE.name, names)


def _uninstall(host: Host, names: Sequence[str], doing: str) -> None:
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


def _install(host: Host, names: Sequence[str]) -> ClusterlabError | None:
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


def _wait_until_unlocked(host: Host, progress: Progress) -> None:
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

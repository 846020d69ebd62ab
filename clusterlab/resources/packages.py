"""Packages of the distribution, installed with apt.

An installed package stays as it is, whatever its version.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from clusterlab.model.lab import Lab
from clusterlab.progress import Progress
from clusterlab.remote import Host

from . import apt, docker_engine, package_users, record
from .base import Change, Difference, Key, Skipped
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
        return {self.name: apt.question(names), **(package_users.questions(names) if wanted is None else {})}

    def observe(self, scope: Scope) -> Mapping[Key, Package]:
        found = {}
        for at in scope.everywhere:
            recorded, versions = record.entries(at, self.name), apt.installed(at.answers.get(self.name, ""))
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


def change(at: Observed, wanted: Sequence[str], progress: Progress) -> Change | None:
    """Install what a host lacks of `wanted`, all at once."""
    system, present = system_of(at), apt.installed(at.answers.get(PACKAGE.name, ""))
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
    apt.wait_until_unlocked(host, progress)
    record.remember(host, lab, PACKAGE.name, dict.fromkeys(names), shared=True)
    if error := apt.install(host, names):
        known = host.run(apt.question(names))
        if known.exit <= 1:  # 1: dpkg does not know one of them; any other code means nothing, see dpkg-query(1)
            there = apt.unpacked(known.stdout)
            record.forget(host, lab, PACKAGE.name, [name for name in names if name not in there])
        raise error


def _remove(host: Host, lab: str, names: Sequence[str], progress: Progress) -> None:
    doing = f"remove {' '.join(names)}"
    present = apt.installed(host.run(apt.question(names)).stdout)
    if present:
        apt.wait_until_unlocked(host, progress)
        apt.uninstall(host, [name for name in names if name in present], doing)
    record.forget(host, lab, PACKAGE.name, names)

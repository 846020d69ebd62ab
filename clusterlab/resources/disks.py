"""Disks: LUNs that a host logs in to, formatted when blank, and logged out of.

A disk that holds something is never formatted, whatever flag is given: a person has to do that.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from clusterlab.errors import HostError
from clusterlab.model.inventory import Inventory
from clusterlab.model.iscsi import PORT, Disk, device, disk_of, iqn
from clusterlab.model.lab import Lab
from clusterlab.model.needs import disk_needs, missing
from clusterlab.model.playbook import Play, Volume
from clusterlab.remote import Host

from . import disk_state
from .base import Change, Difference, Key, Skipped
from .commands import do
from .disk_state import Disk as FoundDisk
from .kind import ResourceKind, skipped
from .observed import Observed
from .scope import Scope, Wants

_MKFS = {"xfs": "mkfs.xfs -q -K", "ext4": "mkfs.ext4 -q -E nodiscard"}  # without force: each refuses what it sees
# One at a time on a host: iscsiadm fails on its records while another one changes them.
_ALONE = "set -e; exec 9>/run/clusterlab-iscsi; flock -w 120 9\n"
_TIMEOUT = 240.0  # seconds, with the wait for others
_APPEARS = 60.0  # seconds until the kernel and udev show a disk after the login
_REMEDIES = (
    (
        r"error \(19|authorization failure|login failure",
        "the target lets another host log in, not this one",
        "See `iscsi.luns` of the inventory, then run `clusterlab provision`.",
    ),
    (
        r"connection (refused|timed out|login timed out)|cannot make connection|No route to host|retry login limit",
        "the target does not answer",
        "Run `clusterlab provision`; `systemctl status tgt` on the target's host shows whether it runs.",
    ),
    (r"iscsiadm: not found", "open-iscsi is not installed", "Run `clusterlab provision`."),
)


@dataclass(frozen=True)
class WantedDisk:
    """A LUN as it should be on its host."""

    name: str
    lun: str
    iqn: str
    portal: str
    device: str
    filesystem: str | None

    @property
    def login(self) -> str:
        """Log in, unless there is a session, and wait until the disk is there."""
        node = f"iscsiadm -m node -T {self.iqn} -p {self.portal}"
        wait = shlex.quote(f"until [ -b {self.device} ]; do sleep 0.2; done")
        return (
            f"{node} >/dev/null 2>&1 || {node} -o new\n"
            f"{disk_state.logged_in(self.iqn)} || {node} --login\n"
            f"timeout {_APPEARS:.0f} sh -c {wait}"
        )

    @property
    def format(self) -> str:
        return f"{_MKFS[self.filesystem]} {self.device}" if self.filesystem else ""

    @property
    def manual_format(self) -> str:
        """Format it only when it is blank.

        Fails when it holds something else than the file system that is wanted.
        """
        there = f"blkid -p -s TYPE -o value {self.device} | grep -qx {self.filesystem}"
        return f"{there} || {{ cmp -s -n {disk_state.BORDER} {self.device} /dev/zero && {self.format}; }}"


def wanted_disk(inventory: Inventory, lab: str, name: str, disk: Disk) -> WantedDisk:
    target = inventory.hosts[inventory.with_role("iscsi_target")[0]].address
    where = device(lab, target, disk.lun)
    return WantedDisk(name, disk.lun, iqn(lab, disk.lun), f"{target}:{PORT}", where, disk.filesystem)


class DiskKind(ResourceKind[WantedDisk, FoundDisk]):
    """LUNs that hosts log in to.

    One that the plays no longer have stays logged in: only `clean` logs out.
    """

    name = "disk"
    listings = frozenset({"containers", "volumes"})

    def wanted(self, wants: Wants) -> Mapping[Key, WantedDisk]:
        return {
            Key(disk.host, self.name, name): wanted_disk(wants.lab.inventory, wants.lab.name, name, disk)
            for _, play in wants.plays()
            for name, disk in play.disks.items()
        }

    def left_out(self, wants: Wants) -> Iterator[Skipped]:
        for _, play in wants.plays():
            for name, disk in play.disks.items():
                need = missing(disk_needs(wants.lab, disk.host, name), wants.capabilities)
                yield from skipped(Key(disk.host, self.name, name), need, wants)

    def manual(self, wanted: WantedDisk) -> str:
        return "\n".join([wanted.login, *([wanted.manual_format] if wanted.format else [])])

    def questions(self, at: Observed, wanted: Mapping[Key, WantedDisk] | None) -> Mapping[str, str]:
        return {} if wanted is not None and not wanted else {self.name: disk_state.question(at.lab)}

    def observe(self, scope: Scope) -> Mapping[Key, FoundDisk]:
        return {
            Key(at.name, self.name, lun): disk
            for at in scope.everywhere
            for lun, disk in disk_state.disks(at.answers.get(self.name, "")).items()
        }

    def differences(self, wanted: WantedDisk, found: FoundDisk) -> Sequence[Difference]:
        if not found.logged_in or not found.device:
            state = "not logged in" if not found.logged_in else "not shown by the kernel"
            return (Difference("session", "logged in", state),)
        if wanted.filesystem in (None, found.content):
            return ()
        return (Difference("filesystem", wanted.filesystem, found.content),)

    def change(
        self, wants: Wants, scope: Scope, key: Key, wanted: WantedDisk, found: FoundDisk | None
    ) -> Change | None:
        at = scope.at(key)  # the hosts know a LUN by its own name, the plays by theirs
        found = disk_state.disks(at.answers.get(self.name, "")).get(wanted.lun, FoundDisk(wanted.lun))
        differing = tuple(self.differences(wanted, found))
        if not differing:
            return None
        out = differing[0].name == "session"
        blocked = "" if out else _refusal(wanted, found.content)
        if out:
            reason = "the host is not logged in" if not found.logged_in else "the kernel does not show it"
        else:
            reason = f"it holds {found.content}, not {wanted.filesystem}" if blocked else "it is blank"
        commands = [wanted.login] if out else []
        commands += [wanted.manual_format] if wanted.format and not blocked else []
        return Change(
            key=key,
            action="log in" if out else "format",
            reason=reason,
            command="\n".join(commands),
            carry_out=partial(_bring, at.host, at.lab, wanted),
            differences=differing,
            blocked=blocked,
        )

    def owns(self, lab: str, found: FoundDisk) -> bool:
        return True  # only LUNs with the lab's prefix are looked for

    def remove(self, scope: Scope, key: Key, found: FoundDisk, reason: str) -> Change:
        """Log out of a LUN and forget it, after all that has it mounted.

        What is on it stays there.
        """
        at = scope.at(key)
        volumes = [
            name
            for name, one in at.volumes.items()
            if found.device and found.device == (one.get("Options") or {}).get("device")
        ]
        needs = {Key(at.name, "container", user) for name in volumes for user in at.containers_with(name)}
        needs |= {Key(at.name, "volume", name) for name in volumes}
        needs |= {one for one in scope.pending if one.kind == "service"}
        name = iqn(at.lab, found.lun)
        commands = [f"iscsiadm -m node -T {name} --logout"] if found.logged_in else []
        commands.append(f"iscsiadm -m node -T {name} -o delete")
        return Change(
            key=key,
            action="log out",
            reason=f"{reason}; its data stays on the target",
            command=" && ".join(commands),
            carry_out=partial(_log_out, at.host, found, commands),
            needs=frozenset(needs),
        )


def with_device(lab: Lab, play: Play, volume: Volume) -> Volume:
    """The same volume, with the path of its disk where it names one."""
    name = disk_of(volume.driver_opts)
    if name is None:
        return volume
    path = wanted_disk(lab.inventory, lab.name, name, play.disks[name]).device
    return volume.model_copy(update={"driver_opts": {**volume.driver_opts, "device": path}})


def needed_disk(host: str, volume: Volume | None) -> frozenset[Key]:
    """The disk that comes before a volume, and before the containers that mount it."""
    name = disk_of(volume.driver_opts) if volume else None
    return frozenset({Key(host, DiskKind.name, name)} if name else ())


def _refusal(wanted: WantedDisk, content: str) -> str:
    """Why a disk is not formatted; empty when it may be, or need not."""
    if wanted.filesystem is None or content in ("blank", wanted.filesystem):
        return ""
    what = "data of an unknown kind" if content == "data" else content
    return (
        f"{wanted.device} holds {what}, which is never formatted over. If it may go, "
        f"`wipefs -a {wanted.device}` on its host, and zeros over its beginning, make it blank"
    )


def _bring(host: Host, lab: str, wanted: WantedDisk) -> None:
    doing = f"log in to {wanted.iqn}"
    remedy = "See `journalctl -u iscsid` there."
    do(host, _ALONE + wanted.login, doing, timeout=_TIMEOUT, remedies=_REMEDIES, remedy=remedy)
    if not wanted.filesystem:
        return
    # Only now it can be seen what is on it; mkfs looks once more, and refuses what it knows.
    state = disk_state.disks(do(host, disk_state.question(lab), doing).stdout)
    content = next((one.content for one in state.values() if one.device == wanted.device), "")
    if refusal := _refusal(wanted, content):
        raise HostError(host.name, f"cannot format disk {wanted.name}: {refusal}")
    if content == "blank":
        do(host, wanted.format, f"format disk {wanted.name}", timeout=600.0)


def mounted(device: str) -> str:
    """Script that prints where a disk is mounted, in any mount namespace.

    Or a partition or mapped device on it.
    """
    return (
        f"numbers=$(lsblk -nro MAJ:MIN {device}) && for number in $numbers; do\n"
        '    grep -h " $number " /proc/[0-9]*/mountinfo 2>/dev/null\n'
        "done | cut -d ' ' -f 5 | sort -u"
    )


def _log_out(host: Host, found: disk_state.Disk, commands: list[str]) -> None:
    """Make sure that a disk is not mounted before the kernel takes it away.

    What is not written yet would be lost.
    """
    doing = f"log out of the disk {found.lun}"
    if found.device:
        if places := do(host, mounted(found.device), doing).stdout.split():
            raise HostError(
                host.name,
                f"cannot {doing}: it is mounted on {', '.join(places)}",
                remedy="Unmount it there, then run the same command again.",
            )
        commands = [f"blockdev --flushbufs {found.device}", *commands]
    do(host, _ALONE + "\n".join(commands), doing, timeout=_TIMEOUT, remedies=_REMEDIES)


DISK = DiskKind()

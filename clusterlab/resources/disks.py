"""Disks: LUNs that a host logs in to, formatted when they are blank, and logged out of again.

What is on a disk is never formatted over, whatever flag is given: who wants that does it by hand.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import partial

from clusterlab.errors import HostError
from clusterlab.model.inventory import Inventory
from clusterlab.model.iscsi import PORT, Disk, device, disk_of, iqn
from clusterlab.model.playbook import Play, Volume
from clusterlab.remote import Host

from . import disk_state
from .base import Change, Key
from .commands import do
from .observed import Observed
from .scope import Scope

_MKFS = {"xfs": "mkfs.xfs -q -K", "ext4": "mkfs.ext4 -q -E nodiscard"}  # without force: each refuses what it sees
# One at a time on a host: iscsiadm fails on its records while another one changes them.
_ALONE = "set -e; exec 9>/run/lock/clusterlab-iscsi; flock -w 120 9\n"
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
    """A LUN as it is to be on its host."""

    name: str
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
    def format_by_hand(self) -> str:
        """Format it only when it is blank; fails when it holds something else than the file system that is wanted."""
        there = f"blkid -p -s TYPE -o value {self.device} | grep -qx {self.filesystem}"
        return f"{there} || {{ cmp -s -n {disk_state.BORDER} {self.device} /dev/zero && {self.format}; }}"


def wanted_disk(inventory: Inventory, lab: str, name: str, disk: Disk) -> WantedDisk:
    target = inventory.hosts[inventory.with_role("iscsi_target")[0]].address
    where = device(lab, target, disk.lun)
    return WantedDisk(name, iqn(lab, disk.lun), f"{target}:{PORT}", where, disk.filesystem)


def with_device(scope: Scope, play: Play, volume: Volume) -> Volume:
    """The same volume, with the path of its disk where it names one."""
    name = disk_of(volume.driver_opts)
    if name is None:
        return volume
    path = wanted_disk(scope.lab.inventory, scope.lab.name, name, play.disks[name]).device
    return volume.model_copy(update={"driver_opts": {**volume.driver_opts, "device": path}})


def needed_disk(host: str, volume: Volume | None) -> frozenset[Key]:
    """The disk that comes before a volume, and before the containers that mount it."""
    name = disk_of(volume.driver_opts) if volume else None
    return frozenset({Key(host, "disk", name)} if name else ())


def disk_changes(scope: Scope) -> list[Change]:
    """Log in to the plays' LUNs, and format the blank ones that shall have a file system.

    A LUN that the plays no longer have stays logged in: only `clean` logs out.
    """
    changes = []
    for play in scope.lab.plays.values():
        for name, disk in play.disks.items():
            if scope.answers(Key(disk.host, "disk", name)):
                at = scope.observed[disk.host]
                wanted = wanted_disk(scope.lab.inventory, scope.lab.name, name, disk)
                change = _brought(at, wanted, at.disks.get(disk.lun, disk_state.Disk(disk.lun)))
                changes += [change] if change else []
    return changes


def _brought(at: Observed, wanted: WantedDisk, found: disk_state.Disk) -> Change | None:
    out = not found.logged_in or not found.device
    blocked = "" if out else _refusal(wanted, found.content)
    if not (out or blocked) and wanted.filesystem in (None, found.content):
        return None
    if out:
        reason = "the host is not logged in" if not found.logged_in else "the kernel does not show it"
    else:
        reason = f"it holds {found.content}, not {wanted.filesystem}" if blocked else "it is blank"
    commands = [wanted.login] if out else []
    commands += [wanted.format_by_hand] if wanted.format and not blocked else []
    return Change(
        key=Key(at.name, "disk", wanted.name),
        action="log in" if out else "format",
        reason=reason,
        command="\n".join(commands),
        carry_out=partial(_bring, at.host, at.lab, wanted),
        blocked=blocked,
    )


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


def disk_removal(at: Observed, found: disk_state.Disk, reason: str, needs: frozenset[Key]) -> Change:
    """Log out of a LUN and forget it, after `needs` and all that has it mounted; what is on it stays there."""
    volumes = [
        name
        for name, one in at.volumes.items()
        if found.device and found.device == (one.get("Options") or {}).get("device")
    ]
    users = {Key(at.name, "container", user) for name in volumes for user in at.containers_with(name)}
    needs |= users | {Key(at.name, "volume", name) for name in volumes}
    name = iqn(at.lab, found.lun)
    logout = f"iscsiadm -m node -T {name} --logout"
    commands = [logout] if found.logged_in else []
    commands.append(f"iscsiadm -m node -T {name} -o delete")
    return Change(
        key=Key(at.name, "disk", found.lun),
        action="log out",
        reason=f"{reason}; its data stays on the target",
        command=" && ".join(commands),
        carry_out=partial(_log_out, at.host, found, commands),
        needs=needs,
    )


def _log_out(host: Host, found: disk_state.Disk, commands: list[str]) -> None:
    """The kernel takes a disk away even while it is mounted, and what is not written yet is lost then: look first."""
    doing = f"log out of the disk {found.lun}"
    if found.device:
        mounted = (
            f'number=$(lsblk -dnro MAJ:MIN {found.device}) && grep -h " $number " /proc/[0-9]*/mountinfo 2>/dev/null | '
            "cut -d ' ' -f 5 | sort -u"
        )
        if places := do(host, mounted, doing).stdout.split():
            raise HostError(
                host.name,
                f"cannot {doing}: it is mounted on {', '.join(places)}",
                remedy="Unmount it there, then run the same command again.",
            )
        commands = [f"blockdev --flushbufs {found.device}", *commands]
    do(host, _ALONE + "\n".join(commands), doing, timeout=_TIMEOUT, remedies=_REMEDIES)

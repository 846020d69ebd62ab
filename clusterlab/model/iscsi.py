"""Disks over iSCSI: the LUNs of the lab's target, and what plays make of them.

Each LUN is a target of its own, so that the target itself keeps out every host but the one that the LUN is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address
from typing import Literal

from pydantic import Field

from .base import Issue, Model, Name, size_bytes

PORT = 3260
LUN = 1
"""The disk's number in its target: 0 is the target's controller."""

_BY_DISK = re.compile(r"disk:(?P<name>.*)")

SMALLEST = {"xfs": size_bytes("300M"), "ext4": size_bytes("2M")}
"""Bytes that a file system needs at least: mkfs refuses less (https://manpages.debian.org/trixie/xfsprogs/mkfs.xfs.8)."""


class Lun(Model):
    """A disk that the iSCSI target serves to one host, out of a file."""

    name: Name = Field(examples=["disk1"])
    size: str = Field(pattern=r"^[1-9]\d*[MG]$", description="it never changes once the disk exists", examples=["512M"])
    host: Name = Field(description="the only host that may log in", examples=["host1"])

    @property
    def bytes(self) -> int:
        return size_bytes(self.size)


class Iscsi(Model):
    """What the iSCSI target of the lab serves."""

    luns: list[Lun] = Field(default_factory=list)

    def lun(self, name: str) -> Lun | None:
        return next((lun for lun in self.luns if lun.name == name), None)

    def issues(self) -> Iterator[Issue]:
        names = [lun.name for lun in self.luns]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Issue(("luns", index, "name"), f"there are two LUNs '{name}'", "Give each a name of its own.")


class Disk(Model):
    """A LUN, logged in on its host: a volume has it as its device, written disk:NAME."""

    host: str = Field(description="the host that logs in: the one that the LUN is for")
    lun: str = Field(description="a name among the LUNs of the inventory")
    filesystem: Literal["xfs", "ext4"] | None = Field(
        default=None,
        description="created on a blank disk, and never over anything else; without it the disk stays as it is",
    )


def iqn(lab: str, lun: str) -> str:
    """The name of a LUN's target (RFC 3720, 3.2.6.3.1)."""
    return f"{iqn_prefix(lab)}{lun}"


def iqn_prefix(lab: str) -> str:
    """What the names of a lab's targets begin with; no name of a lab has a dot."""
    return f"iqn.2025-01.org.clusterlab:{lab}."


def device(lab: str, target: IPv4Address, lun: str) -> str:
    """Where udev shows a LUN that is logged in, whatever the order of logins."""
    return f"/dev/disk/by-path/ip-{target}:{PORT}-iscsi-{iqn(lab, lun)}-lun-{LUN}"


def disk_of(driver_opts: Mapping[str, str | int]) -> str | None:
    """The disk that a volume has as its device, or None when it is something else."""
    match = _BY_DISK.fullmatch(str(driver_opts.get("device", "")))
    return match["name"] if match else None

"""What this kernel can do for hosts in namespaces, found by asking it."""

from __future__ import annotations

import shutil
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.programs import run_program

_QUESTIONS: dict[str, tuple[str, str]] = {
    "nfs": (
        "modprobe -q nfs; modprobe -q nfsd; grep -qw nfs4 /proc/filesystems && grep -qw nfsd /proc/filesystems",
        "this kernel has no NFS (nfs4 and nfsd are not in /proc/filesystems)",
    ),
    "ipvs": ("modprobe -q ip_vs; test -e /proc/net/ip_vs", "this kernel has no IPVS (there is no /proc/net/ip_vs)"),
    "iscsi": (
        "modprobe -q iscsi_tcp; mount -t sysfs sysfs /sys && test -d /sys/class/iscsi_transport",
        "iSCSI does not reach into network namespaces on this kernel (no /sys/class/iscsi_transport there)",
    ),
    "vxlan": ("ip link add probe type vxlan id 1 dstport 4789", "this kernel has no VXLAN"),
    "xfrm": (
        "ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 256 reqid 1 mode transport "
        "aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 64",
        "this kernel cannot encrypt overlay networks: it has no IPsec ESP with rfc4106(gcm(aes))",
    ),
    "macvlan": (
        "ip link add base type dummy || ip link add base type veth; ip link add probe link base type macvlan",
        "this kernel has no macvlan",
    ),
    "ipvlan": (
        "ip link add base type dummy || ip link add base type veth; ip link add probe link base type ipvlan",
        "this kernel has no ipvlan",
    ),
    "xfs": ("modprobe -q xfs; grep -qw xfs /proc/filesystems", "this kernel has no XFS"),
}
"""For each capability a shell command that succeeds when it is there, and the reason to give otherwise."""

_SERVED = {
    "iscsi": "hosts in namespaces run no iSCSI target",
    "kernel": "hosts in namespaces share this machine's kernel: only net.* parameters are their own",
}
"""Capabilities that no kernel gives to these hosts."""


def missing_capabilities() -> dict[str, str]:
    """Capabilities that hosts in namespaces lack here, each with the reason.

    Probed in a scratch namespace, as root.
    """
    refused = {name: reason for name, (command, reason) in _QUESTIONS.items() if not _succeeds(command)}
    return _SERVED | refused


def missing_tools() -> list[str]:
    """Programs that namespaces labs need and this machine has not."""
    return [
        tool for tool in ("unshare", "nsenter", "setsid", "mount", "pivot_root", "ip", "tar") if not shutil.which(tool)
    ]


def is_overlay(folder: Path) -> bool:
    """Whether a folder lies on an overlay, where no other can be put on top.

    Of a folder that does not exist, the nearest one above counts.
    """
    while not folder.exists():
        folder = folder.parent
    found = run_program(["stat", "-f", "-c", "%T", str(folder)], 30)
    if found.exit != 0:
        raise ClusterlabError(f"the file system of {folder} cannot be determined", detail=found.output)
    return found.stdout.strip() == "overlayfs"


def _succeeds(command: str) -> bool:
    scratch = ["unshare", "--net", "--mount", "sh", "-c", command]
    return run_program(scratch, 60).exit == 0

"""Which LUNs of a lab a host is logged in to, and what is on them."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from clusterlab.model.iscsi import LUN, iqn_prefix

MARK = "@disk"
_NODES = "/var/lib/iscsi/nodes /etc/iscsi/nodes"  # where open-iscsi keeps what it knows of, newer and older
_SESSIONS = "/sys/class/iscsi_session"
BORDER = 2**20  # bytes at the beginning that a blank disk has no data in: labels and tables are there


@dataclass(frozen=True)
class Disk:
    """A LUN that a host knows of.

    `content` is the type of file system or partition table, "blank", "data" for what has no known type, or "" when
    the host is not logged in; `device` is then empty, as it is while the kernel does not show the disk.
    """

    lun: str
    logged_in: bool = False
    device: str = ""
    content: str = ""


def logged_in(iqn: str) -> str:
    """Shell condition: the host has a session with exactly this target.

    Not with one whose name only contains it.
    """
    return f"grep -qsxF -e {iqn} {_SESSIONS}/*/targetname"


def question(lab: str) -> str:
    """Script that prints a line for each LUN of the lab.

    Its name, whether there is a session, device and content.
    """
    prefix = shlex.quote(iqn_prefix(lab))
    return rf"""
PATH=$PATH:/usr/sbin:/sbin
known() {{ cat {_SESSIONS}/*/targetname; for folder in {_NODES}; do ls "$folder"; done; }}
for name in $(known 2>/dev/null | sort -u); do
    case $name in {prefix}*) ;; *) continue ;; esac
    lun=${{name#{prefix}}} session=out device= content=
    if {logged_in('"$name"')}; then
        session=in
        for link in /dev/disk/by-path/*-iscsi-"$name"-lun-{LUN}; do [ -b "$link" ] && device=$link; done
    fi
    if [ "$device" ]; then
        content=$(blkid -p -s TYPE -s PTTYPE -o value "$device" | head -n 1)
        [ "$content" ] || [ "$(blkid -p "$device" 2>&1)" = "" ] || content=data
        [ "$content" ] || {{ dd if="$device" bs={BORDER} count=1 2>/dev/null | cmp -s -n {BORDER} - /dev/zero &&
            content=blank; }} || content=data
    fi
    printf '{MARK} %s %s %s %s\n' "$lun" "$session" "${{device:--}}" "${{content:--}}"
done
"""


def disks(answer: str) -> dict[str, Disk]:
    """The LUNs in the answer to `question`, by name."""
    rows = [line.split(" ") for line in answer.splitlines() if line.startswith(f"{MARK} ")]
    return {
        lun: Disk(lun, session == "in", "" if device == "-" else device, "" if content == "-" else content)
        for _, lun, session, device, content in rows
    }

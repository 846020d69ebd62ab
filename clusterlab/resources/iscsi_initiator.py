"""The name by which a host logs in to iSCSI targets: its own, also where machines began as copies of one."""

from __future__ import annotations

import re
from functools import partial

from clusterlab.model.iscsi import iqn
from clusterlab.remote import Host
from clusterlab.resources.base import Change, Difference, Key
from clusterlab.resources.commands import do

_FILE = "/etc/iscsi/initiatorname.iscsi"
QUESTION = f"cat {_FILE}; ls /sys/class/iscsi_session"
"""Prints the host's name, and its sessions."""


def change(host: Host, lab: str, *, copied: bool, answer: str, needs: frozenset[Key] = frozenset()) -> Change | None:
    """Give the host a name of its own, if it has none, or is `copied` and so may have the name of another.

    A host with sessions keeps its name: targets know it by that.
    """
    match = re.search(r"^InitiatorName=(\S+)", answer, re.MULTILINE)
    name = match[1] if match else ""
    wanted = iqn(lab, host.name)
    if name == wanted or (name and not copied):
        return None
    sessions = re.search(r"^session\d+$", answer, re.MULTILINE)
    return Change(
        key=Key(host.name, "initiator", wanted),
        action="name",
        reason=f"it is {name}, the name of the machine that it is a copy of" if name else "it has no name",
        command=f"echo InitiatorName={wanted} > {_FILE} && systemctl try-restart iscsid",
        carry_out=partial(_name, host, wanted),
        differences=(Difference("InitiatorName", wanted, name),),
        needs=needs,
        blocked="it is logged in to targets by that name: log out first, `iscsiadm -m session` shows them"
        if sessions
        else "",
    )


def _name(host: Host, name: str) -> None:
    host.write(_FILE, f"# Written by clusterlab.\nInitiatorName={name}\n".encode(), 0o600)
    do(host, "systemctl try-restart iscsid", f"restart iscsid as {name}")

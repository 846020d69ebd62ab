"""The name by which a host logs in to iSCSI targets.

Its own, also where machines began as copies of one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from clusterlab.model.iscsi import iqn
from clusterlab.model.lab import Lab
from clusterlab.remote import Host

from . import record, written
from .base import Change, Difference, Key
from .commands import do
from .host_kind import HostKind, Role, pending_on
from .observed import Observed
from .roles import roles
from .scope import Scope, Wants

_FILE = "/etc/iscsi/initiatorname.iscsi"
QUESTION = f"cat {_FILE}; ls /sys/class/iscsi_session"
"""Prints the host's name, and its sessions."""


@dataclass(frozen=True)
class WantedName:
    """A host's own name.

    With `copied` it replaces the one that the host already has, which may be another host's.
    """

    name: str
    copied: bool


@dataclass(frozen=True)
class Initiator:
    """What a host has: its name or "", its sessions, and the original file.

    The file from before provision changed it, when it did.
    """

    name: str
    sessions: tuple[str, ...]
    before: str | None = None


class InitiatorKind(HostKind[WantedName, Initiator]):
    """Initiator names.

    A host with sessions keeps its name, since targets know it by that.
    """

    name = "initiator"
    runs = True

    def asked(self, lab: Lab, host: str) -> Iterator[tuple[Role, WantedName]]:
        if roles(lab, host).logs_in:
            yield Role("name", "iscsi"), WantedName(iqn(lab.name, host), lab.inventory.kind.copies_disks)

    def manual(self, wanted: WantedName) -> str:
        return f"echo InitiatorName={wanted.name} > {_FILE} && systemctl try-restart iscsid"

    def questions(self, at: Observed, wanted: Mapping[Key, WantedName] | None) -> Mapping[str, str]:
        return {self.name: QUESTION} if wanted is None or wanted else {}

    def observe(self, scope: Scope) -> Mapping[Key, Initiator]:
        return {Key(at.name, self.name, "name"): _found(at) for at in scope.everywhere if self.name in at.answers}

    def differences(self, wanted: WantedName, found: Initiator) -> Sequence[Difference]:
        if found.name == wanted.name or (found.name and not wanted.copied):
            return ()
        return (Difference("InitiatorName", wanted.name, found.name),)

    def change(
        self, wants: Wants, scope: Scope, key: Key, wanted: WantedName, found: Initiator | None
    ) -> Change | None:
        found = found or Initiator("", ())
        differences = self.differences(wanted, found)
        if not differences:
            return None
        at = scope.at(key)
        return Change(
            key=key,
            action="name",
            reason=f"{found.name} is the name of the machine that it is a copy of" if found.name else "it has no name",
            command=self.manual(wanted),
            carry_out=partial(_name, at.host, at.lab, wanted.name, at.answers.get(self.name, "")),
            differences=tuple(differences),
            needs=pending_on(scope, key.host, "packages"),
            blocked="it is logged in to targets by that name: log out first, `iscsiadm -m session` shows them"
            if found.sessions
            else "",
        )

    def owns(self, lab: str, found: Initiator) -> bool:
        return found.before is not None

    def kept(self, scope: Scope, key: Key, found: Initiator) -> str:
        if found.sessions:
            return "the host is logged in to targets by that name"
        return "" if found.name == iqn(scope.name, key.host) else "the host has another name by now"

    def files(self, lab: str, key: Key) -> Sequence[str]:
        return (_FILE,)

    def remove(self, scope: Scope, key: Key, found: Initiator, reason: str) -> Change | None:
        at, before = scope.at(key), found.before or ""
        return Change(
            key=key,
            action="restore",
            reason=f"{reason}; it had {'another name' if before else 'no name'} before",
            command=f"printf %s {shlex.quote(before)} > {_FILE}" if before else f"rm -f {_FILE}",
            carry_out=partial(_restore, at, key, before),
        )


INITIATOR = InitiatorKind()


def _found(at: Observed) -> Initiator:
    answer = at.answers.get(INITIATOR.name, "")
    match = re.search(r"^InitiatorName=(\S+)", answer, re.MULTILINE)
    before = record.entries(at, INITIATOR.name).get("name")
    return Initiator(match[1] if match else "", tuple(sessions(at)), str(before) if before is not None else None)


def sessions(at: Observed) -> list[str]:
    """The sessions that a host has with targets."""
    return re.findall(r"^session\d+$", at.answers.get(INITIATOR.name, ""), re.MULTILINE)


def _restore(at: Observed, key: Key, before: str) -> None:
    if before:
        at.host.write(_FILE, before.encode(), 0o600)
    else:
        do(at.host, f"rm -f {_FILE}", f"remove {_FILE}")
    written.forget(at.host, at.lab, [_FILE])
    record.forget(at.host, at.lab, key.kind, [key.name])


def _name(host: Host, lab: str, name: str, answer: str) -> None:
    before = re.sub(r"^session\d+\n?", "", answer, flags=re.MULTILINE)
    record.remember(host, lab, INITIATOR.name, {"name": before})
    written.write(host, lab, _FILE, f"# Written by clusterlab.\nInitiatorName={name}\n".encode(), 0o600)
    do(host, "systemctl try-restart iscsid", f"restart iscsid as {name}")

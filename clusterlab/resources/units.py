"""Units of systemd that run now and after every boot."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from clusterlab.errors import ClusterlabError
from clusterlab.model.lab import Lab
from clusterlab.remote import Host
from clusterlab.remote.failure import failure

from . import iscsi_initiator, iscsi_target, nfs, record
from .base import Change, Difference, Key
from .commands import do
from .host_kind import HostKind, Role, pending_on
from .observed import Observed
from .roles import roles
from .scope import Scope, Wants

NFS_SERVER, ISCSI_TARGET, ISCSI_INITIATOR = "nfs-server", "tgt", "iscsid"
_STARTS_AT_BOOT = {"enabled", "enabled-runtime", "static", "alias", "indirect", "generated", "linked"}
_RUNS = {"active", "reloading"}
_START = 180.0  # seconds; an emulated machine starts an engine in up to a minute


@dataclass(frozen=True)
class Unit:
    """A unit's state, in systemctl's words."""

    active: str = "inactive"
    enabled: str = "not-found"
    before: tuple[str, str] | None = None  # active and enabled before provision changed it; None: it did not

    @property
    def exists(self) -> bool:
        return self.enabled not in ("not-found", "")

    @property
    def runs(self) -> bool:
        return self.active in _RUNS

    @property
    def masked(self) -> bool:
        return self.enabled.startswith("masked")

    def differences(self) -> tuple[Difference, ...]:
        """How it differs from running now and after a boot."""
        now = () if self.runs else (Difference("state", "active", self.active),)
        at_boot = () if self.enabled in _STARTS_AT_BOOT else (Difference("at boot", "enabled", self.enabled),)
        return now + at_boot


def question(names: Sequence[str]) -> str:
    """Script that prints name, active state and enabled state of each unit."""
    return (
        f'for unit in {shlex.join(names)}; do echo "$unit $(systemctl is-active "$unit" | head -n 1)'
        ' $(systemctl is-enabled "$unit" | head -n 1)"; done'
    )


def units(answer: str) -> dict[str, Unit]:
    """The units in the answer to `question`."""
    rows = [line.split(" ") for line in answer.splitlines()]
    return {row[0]: Unit(row[1] or "inactive", row[2] or "not-found") for row in rows if len(row) == 3}


class UnitKind(HostKind[str, Unit]):
    """Units that roles need."""

    name = "unit"
    runs = True
    shared = True

    def asked(self, lab: Lab, host: str) -> Iterator[tuple[Role, str]]:
        has = roles(lab, host)
        names = [Role(NFS_SERVER, "nfs")] if has.nfs_server else []
        names += [Role(ISCSI_TARGET, "iscsi")] if has.serves_luns else []
        names += [Role(ISCSI_INITIATOR, "iscsi")] if has.logs_in else []
        yield from ((role, role.name) for role in names)

    def manual(self, wanted: str) -> str:
        return f"systemctl enable --now {wanted}"

    def questions(self, at: Observed, wanted: Mapping[Key, str] | None) -> Mapping[str, str]:
        names = list(record.entries(at, self.name)) if wanted is None else [key.name for key in wanted]
        return {self.name: question(names)} if names else {}

    def observe(self, scope: Scope) -> Mapping[Key, Unit]:
        return {
            Key(at.name, self.name, name): unit
            for at in scope.everywhere
            for name, unit in recorded_units(at, self.name).items()
        }

    def differences(self, wanted: str, found: Unit) -> Sequence[Difference]:
        return found.differences()

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: str, found: Unit | None) -> Change | None:
        needs = pending_on(scope, key.host, "packages", "initiator")
        return change(scope.at(key), self.name, wanted, found or Unit(), needs)

    def owns(self, lab: str, found: Unit) -> bool:
        return found.before is not None

    def kept(self, scope: Scope, key: Key, found: Unit) -> str:
        users = {NFS_SERVER: nfs.others, ISCSI_TARGET: iscsi_target.others, ISCSI_INITIATOR: iscsi_initiator.sessions}
        at, used = scope.at(key), users[key.name](scope.at(key)) if key.name in users else []
        if used:
            return f"others use it: {', '.join(used)}"
        changes, served = _SERVED.get(key.name, ("", _nothing))
        stay = [] if pending_on(scope, key.host, changes) else served(at)
        return f"what the lab serves with it stays: {', '.join(stay)}" if stay else ""

    def remove(self, scope: Scope, key: Key, found: Unit, reason: str) -> Change | None:
        return restore(scope.at(key), key, found, reason)


def _nothing(_: Observed) -> list[str]:
    return []


_SERVED = {NFS_SERVER: ("exports", nfs.served), ISCSI_TARGET: ("luns", iscsi_target.served)}
"""By unit, the changes that end what the lab serves with it, and what that is."""

UNIT = UnitKind()


def recorded_units(at: Observed, kind: str) -> dict[str, Unit]:
    """The units of a host, each with its state before provision changed it."""
    before = record.entries(at, kind)
    return {
        name: replace(unit, before=_state(before.get(name))) for name, unit in units(at.answers.get(kind, "")).items()
    }


def _state(recorded: object) -> tuple[str, str] | None:
    match recorded:
        case {"active": str(active), "enabled": str(enabled)}:
            return active, enabled
        case _:
            return None


def change(at: Observed, kind: str, name: str, unit: Unit, needs: frozenset[Key]) -> Change | None:
    """Start and enable a unit that does not run or would not after a boot."""
    differences = unit.differences()
    if not differences:
        return None
    return Change(
        key=Key(at.name, kind, name),
        action="enable" if unit.runs else "start",
        reason=f"{name} " + " and ".join(f"is {item.found}" for item in differences),
        command=f"systemctl enable --now {name}",
        carry_out=partial(_record_and_start, at.host, at.lab, kind, name, unit),
        differences=differences,
        needs=needs,
        blocked=f"{name} is masked: run `systemctl unmask {name}` if it may run" if unit.masked else "",
    )


def remember(host: Host, lab: str, kind: str, name: str, unit: Unit) -> None:
    """Record a unit's state before it is changed."""
    record.remember(host, lab, kind, {name: {"active": unit.active, "enabled": unit.enabled}}, shared=True)


def _record_and_start(host: Host, lab: str, kind: str, name: str, unit: Unit) -> None:
    remember(host, lab, kind, name, unit)
    start(host, name)


def restore(at: Observed, key: Key, unit: Unit, reason: str, socket: str = "") -> Change:
    """Give a unit the state that it had before provision changed it.

    Its `socket` would start it again.
    """
    active, enabled = unit.before or ("", "")
    commands = [] if enabled in _STARTS_AT_BOOT else [f"systemctl disable {key.name}"]
    if active not in _RUNS:
        commands += [f"if systemctl cat {socket} >/dev/null 2>&1; then systemctl stop {socket}; fi"] if socket else []
        commands += [f"systemctl stop {key.name}"]
    return Change(
        key=key,
        action="restore",
        reason=f"{reason}; it was {active} and {enabled} before",
        command=" && ".join(commands) or f"systemctl is-active {key.name}",
        carry_out=partial(_restore, at.host, at.lab, key, commands),
    )


def _restore(host: Host, lab: str, key: Key, commands: Sequence[str]) -> None:
    for command in commands:
        do(host, command, f"restore {key.name}", timeout=_START)
    record.forget(host, lab, key.kind, [key.name])


def start(host: Host, name: str) -> None:
    """Enable and start a unit.

    Raises ClusterlabError with the end of its journal when it does not run then.
    """
    command = f"systemctl enable --now {shlex.quote(name)} && systemctl is-active {shlex.quote(name)}"
    completed = host.run(command, timeout=_START)
    if not completed.ok:
        raise not_running(host, name, completed.output)


def not_running(host: Host, name: str, said: str = "") -> ClusterlabError:
    """The error of a unit that does not run, with the end of its journal."""
    unit = shlex.quote(name)
    journal = host.run(f"journalctl --no-pager -q -o cat -n 20 -u {unit} || systemctl status {unit}", timeout=30)
    return failure(
        host.name,
        f"start {name}",
        "\n".join(part for part in (journal.output, said) if part),
        remedy=f"See `journalctl -u {name}` on {host.name}; when it is right, run the same command again.",
    )

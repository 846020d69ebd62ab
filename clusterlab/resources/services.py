"""Services of the host: systemd units that run now and after every boot."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from clusterlab.errors import ClusterlabError
from clusterlab.remote import Host
from clusterlab.remote.failure import failure
from clusterlab.resources.base import Change, Difference, Key

_STARTS_AT_BOOT = {"enabled", "enabled-runtime", "static", "alias", "indirect", "generated", "linked"}
_RUNS = {"active", "reloading"}
_START = 180.0  # seconds; an emulated machine starts an engine in up to a minute


@dataclass(frozen=True)
class Unit:
    """A unit's state, in systemctl's words."""

    active: str = "inactive"
    enabled: str = "not-found"

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


def change(host: Host, name: str, unit: Unit, needs: frozenset[Key] = frozenset()) -> Change | None:
    """Start and enable a unit that does not run or would not after a boot."""
    differences = unit.differences()
    if not differences:
        return None
    return Change(
        key=Key(host.name, "service", name),
        action="enable" if unit.runs else "start",
        reason=f"{name} " + " and ".join(f"is {item.found}" for item in differences),
        command=f"systemctl enable --now {name}",
        carry_out=partial(start, host, name),
        differences=differences,
        needs=needs,
        blocked=f"somebody has masked {name}: run `systemctl unmask {name}` if it may run" if unit.masked else "",
    )


def start(host: Host, name: str) -> None:
    """Enable and start a unit; raises ClusterlabError with the end of its journal when it does not run then."""
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

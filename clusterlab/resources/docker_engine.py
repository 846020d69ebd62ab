"""The Docker engine: whichever is there is kept.

Where there is none, the distribution's is installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from clusterlab.errors import ClusterlabError
from clusterlab.model.lab import Lab
from clusterlab.remote import Host
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.waiting import wait_until

from . import units
from .base import Change, Difference, Key
from .host_kind import HostKind, Role, pending_on
from .observed import Observed
from .report import Report
from .roles import roles
from .scope import Scope, Wants
from .system import System

UNIT = "docker"
CONFIGURED_ROOTS = r"""
configured=$(cat /etc/docker/daemon.json /etc/default/docker /lib/systemd/system/docker.service \
    /usr/lib/systemd/system/docker.service /etc/systemd/system/docker.service \
    /etc/systemd/system/docker.service.d/*.conf 2>/dev/null |
    sed -n -E 's/.*(data-root|graph)"?[[:space:]]*[:= ][[:space:]]*"?(\/[^"[:space:],]*).*/\2/p')
""".strip()
"""Shell that puts into $configured the root directories that configurations of engines name."""
_ANSWERS_WITHIN = 90.0  # seconds from its start
_DEBIAN_WITH_CLI_APART = 13  # since trixie, docker.io only recommends the client


def packages(system: System) -> list[str]:
    """What must be installed for an engine and its client.

    Nothing where both are, whoever packaged them.
    """
    if "dockerd" in system.commands and "docker" in system.commands:
        return []
    engine = [] if "dockerd" in system.commands else ["docker.io"]
    apart = system.debian and "ubuntu" not in system.family and (system.debian_major or 99) >= _DEBIAN_WITH_CLI_APART
    return engine + (["docker-cli"] if apart else [] if engine else ["docker.io"])


def info(host: Host) -> dict[str, Any]:
    """What the engine says about itself; raises HostError when it does not answer."""
    with engine_errors(host, "ask the Docker engine"):
        said: dict[str, Any] = host.docker.info()
        return said


@dataclass(frozen=True)
class Engine:
    """An engine's unit, and whether its API answers."""

    unit: units.Unit
    answers: bool
    containers: int = 0


class EngineKind(HostKind[str, Engine]):
    """Engines that run now and after every boot."""

    name = "engine"
    runs = True
    shared = True
    reports = (Report("engine", lambda engine, name: engine.info(), "docker info"),)

    def asked(self, lab: Lab, host: str) -> Iterator[tuple[Role, str]]:
        if roles(lab, host).docker:
            yield Role(UNIT), UNIT

    def manual(self, wanted: str) -> str:
        return f"systemctl enable --now {wanted} && docker info"

    def questions(self, at: Observed, wanted: Mapping[Key, str] | None) -> Mapping[str, str]:
        return {self.name: units.question([UNIT])} if wanted is None or wanted else {}

    def observe(self, scope: Scope) -> Mapping[Key, Engine]:
        found = {}
        for at in scope.everywhere:
            for name, unit in units.recorded_units(at, self.name).items():
                found[Key(at.name, self.name, name)] = Engine(unit, bool(at.info), at.info.get("Containers") or 0)
        return found

    def differences(self, wanted: str, found: Engine) -> Sequence[Difference]:
        differences = found.unit.differences() if found.unit.exists or not found.answers else ()
        return differences if found.answers else (*differences, Difference("API", "answers", "silent"))

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: str, found: Engine | None) -> Change | None:
        """Start the engine that does not answer, and have it start at boot."""
        found = found or Engine(units.Unit(), False)
        differences = self.differences(wanted, found)
        if not differences:
            return None
        at = scope.at(key)
        return Change(
            key=key,
            action="enable" if found.answers else "start",
            reason=_reason(found.unit, found.answers),
            command=self.manual(wanted),
            carry_out=partial(_start, at.host, at.lab, found.unit),
            differences=tuple(differences),
            needs=pending_on(scope, key.host, "packages"),
            blocked=f"{UNIT} is masked: run `systemctl unmask {UNIT}` if it may run" if found.unit.masked else "",
        )

    def owns(self, lab: str, found: Engine) -> bool:
        return found.unit.before is not None

    def kept(self, scope: Scope, key: Key, found: Engine) -> str:
        if found.unit.runs and not found.answers:
            return "it does not answer, so what it has is not known"
        if found.containers:
            return f"it has {found.containers} containers, which clusterlab did not create or has not removed"
        return "its node is in a Swarm" if swarm(scope, scope.at(key)) else ""

    def remove(self, scope: Scope, key: Key, found: Engine, reason: str) -> Change | None:
        return units.restore(scope.at(key), key, found.unit, reason, socket=f"{UNIT}.socket")


ENGINE = EngineKind()


def users(scope: Scope, at: Observed) -> list[str]:
    """What of others would end with an engine, for people: its containers, and its part in a Swarm."""
    unit = units.units(at.answers.get(ENGINE.name, "")).get(UNIT, units.Unit())
    if unit.runs and not at.info:
        return ["an engine that does not answer, so what it has is not known"]
    containers = at.info.get("Containers") or 0
    return ([f"{containers} container{'s' if containers > 1 else ''}"] if containers else []) + swarm(scope, at)


def swarm(scope: Scope, at: Observed) -> list[str]:
    """A Swarm that a host is in and does not leave first, for people: it may start any service there."""
    state = (at.info.get("Swarm") or {}).get("LocalNodeState") or "inactive"
    stays = state != "inactive" and not pending_on(scope, at.name, "swarm")
    return ["the Swarm that the host is in"] if stays else []


def _reason(unit: units.Unit, answers: bool) -> str:
    if not unit.exists:
        return "there is no Docker engine"
    if not answers:
        return f"the Docker engine does not answer, its unit is {unit.active}"
    return f"the Docker engine is {unit.enabled} at boot"


def _start(host: Host, lab: str, unit: units.Unit) -> None:
    units.remember(host, lab, ENGINE.name, UNIT, unit)
    units.start(host, UNIT)
    wait_until_answering(host)


def wait_until_answering(host: Host) -> None:
    """Wait until the engine's API answers.

    Raises DeadlineExceeded with the end of its journal.
    """
    last: list[ClusterlabError] = []

    def answers() -> bool:
        try:
            info(host)
        except ClusterlabError as error:
            last[:] = [error]
            return False
        return True

    wait_until(
        answers,
        "the Docker engine to answer",
        _ANSWERS_WITHIN,
        subject=host.name,
        seen=lambda: last[0].message,
        remedy=f"See `journalctl -u docker` on {host.name}.",
        detail=lambda: units.not_running(host, UNIT, last[0].detail or last[0].message).detail,
    )

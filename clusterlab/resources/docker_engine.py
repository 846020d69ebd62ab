"""The Docker engine: whichever is there is kept; where there is none, the distribution's is installed."""

from __future__ import annotations

from functools import partial
from typing import Any

from clusterlab.errors import ClusterlabError
from clusterlab.remote import Host
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.resources import services
from clusterlab.resources.base import Change, Difference, Key
from clusterlab.resources.system import System
from clusterlab.waiting import wait_until

UNIT = "docker"
_ANSWERS_WITHIN = 90.0  # seconds from its start
_DEBIAN_WITH_CLI_APART = 13  # since trixie, docker.io only recommends the client


def packages(system: System) -> list[str]:
    """What must be installed for an engine and its client; nothing where both are, whoever packaged them."""
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


def change(host: Host, unit: services.Unit, answers: bool, needs: frozenset[Key]) -> Change | None:
    """Start the engine that does not answer, and have it start at boot."""
    differences = unit.differences() if unit.exists or not answers else ()
    if not answers:
        differences += (Difference("API", "answers", "silent"),)
    if not differences:
        return None
    by_hand = f"systemctl enable --now {UNIT}"
    return Change(
        key=Key(host.name, "engine", "docker"),
        action="start" if not answers else "enable",
        reason=_reason(unit, answers),
        command=f"{by_hand} && docker info",
        carry_out=partial(_start, host),
        differences=differences,
        needs=needs,
        blocked=f"somebody has masked {UNIT}: run `systemctl unmask {UNIT}` if it may run" if unit.masked else "",
    )


def _reason(unit: services.Unit, answers: bool) -> str:
    if not unit.exists:
        return "there is no Docker engine"
    if not answers:
        return f"the Docker engine does not answer, its unit is {unit.active}"
    return f"the Docker engine is {unit.enabled} at boot"


def _start(host: Host) -> None:
    services.start(host, UNIT)
    wait_until_answering(host)


def wait_until_answering(host: Host) -> None:
    """Wait until the engine's API answers; raises DeadlineExceeded with the end of its journal."""
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
        detail=lambda: services.not_running(host, UNIT, last[0].detail or last[0].message).detail,
    )

"""The Docker engine: whichever is there is kept; where there is none, the distribution's is installed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import docker.errors

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.remote import Host
from clusterlab.resources import services
from clusterlab.resources.base import Change, Difference, Key
from clusterlab.resources.commands import failure
from clusterlab.resources.system import System

UNIT = "docker"
_ANSWERS_WITHIN = 90.0  # seconds from its start
_POLL = 0.5
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


@contextmanager
def engine_errors(host: Host, doing: str, remedy: str = "") -> Iterator[None]:
    """Turn what the engine refuses into a HostError; `doing` completes the sentence "cannot ..."."""
    try:
        yield
    except docker.errors.APIError as error:
        raise failure(host.name, doing, str(error.explanation or error), remedy=remedy) from error


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
    """Wait until the engine's API answers; raises HostError with the end of its journal when it does not."""
    deadline = time.monotonic() + _ANSWERS_WITHIN
    while True:
        try:
            info(host)
            return
        except ClusterlabError as error:
            if time.monotonic() > deadline:
                raise HostError(
                    host.name,
                    f"the Docker engine runs, but did not answer within {_ANSWERS_WITHIN:.0f} s",
                    remedy=f"See `journalctl -u docker` on {host.name}.",
                    detail=services.not_running(host, UNIT, error.detail or error.message).detail,
                ) from error
            threading.Event().wait(_POLL)

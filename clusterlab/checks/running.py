"""Running a container of a check until it ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import docker.errors

from clusterlab.resources.container_actions import join_network
from clusterlab.resources.container_body import WantedContainer
from clusterlab.resources.removal import remove_container
from clusterlab.resources.retrying import is_late, retry_late

from .attempts import Interrupted
from .place import Place
from .places import Places
from .spec import remove

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 0.5  # seconds between two looks at a container that runs


@dataclass(frozen=True)
class Ended:
    """How it went: the engine's refusal, or exit code and output.

    The exit code is None when it did not end in time.
    """

    refusal: str = ""
    exit: int | None = None
    stdout: str = ""
    stderr: str = ""


@contextmanager
def removed(places: Places, place: Place, spec: WantedContainer) -> Iterator[WantedContainer]:
    """The container is gone after the block, with its anonymous volumes.

    `clean` finds by its label one that is not.
    """
    try:
        yield spec
    finally:
        remove(places, place, spec.name)


def run_to_end(places: Places, place: Place, spec: WantedContainer, timeout: float) -> Ended:
    """Create and start a container, and wait for its end.

    Raises HostError when it never joins one of the Swarm's networks in time.
    """
    refusal, _ = retry_late(lambda: _start(places, place, spec))
    if refusal:
        return Ended(refusal)
    with places.engine(place.host) as engine:
        code = _exit_code(engine, spec.name, time.monotonic() + timeout, places)
        stdout, stderr = (
            engine.logs(spec.name, stdout=out, stderr=not out).decode(errors="replace") for out in (True, False)
        )
    return Ended("", code, stdout, stderr)


def _start(places: Places, place: Place, spec: WantedContainer) -> str:
    """Create and start a container; why the engine refuses that, or nothing.

    Raises HostError, with the container removed, when the engine missed the Swarm's answer to its own request.
    """
    with places.engine(place.host) as engine:
        try:
            created = engine.create_container_from_config(spec.config, spec.name)  # type: ignore[no-untyped-call]
            for network in list(spec.networks)[1:]:
                join_network(engine, spec, network, created["Id"])
            engine.start(created["Id"])
        except docker.errors.APIError as error:
            if is_late(str(error.explanation)):
                remove_container(places.hosts[place.host], spec.name)
                raise
            return str(error.explanation or error).strip()
    return ""


def _exit_code(engine: Any, name: str, deadline: float, places: Places) -> int | None:
    pause = _FIRST_PAUSE
    while True:
        state = engine.inspect_container(name)["State"]
        if state["Status"] in ("exited", "dead"):
            return int(state["ExitCode"])
        if time.monotonic() > deadline:
            return None
        if places.interrupted.wait(pause):
            raise Interrupted("interrupted")
        pause = min(pause * 1.5, _LONGEST_PAUSE)

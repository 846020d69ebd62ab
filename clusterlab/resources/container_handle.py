"""Handles to containers.

Every container can be looked at, only one that the lab created can be changed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import docker.errors

from clusterlab.errors import HostError
from clusterlab.remote import Host
from clusterlab.waiting import seconds_left, wait_until

from .base import LABEL_LAB
from .container_actions import connect_container
from .container_body import WantedContainer
from .engine_calls import engine
from .labels import is_ours
from .observed import Json
from .removal import remove_container

_STOP_SECONDS = 10  # that a container gets to end by itself, as with `docker stop`
_STAYS = "stays up"
_STAYS_SECONDS = 1.5  # after its start in which a container that cannot work usually ends
_PREDEFINED = ("bridge", "host", "none")


class NoSuchContainer(HostError):
    """No container has that name or id."""


class NotOurs(HostError):
    """An object was not created by this lab, so nothing may change it."""


class EndedAtOnce(HostError):
    """A container ended right after its start."""


@dataclass(frozen=True)
class ContainerHandle:
    """A container by its id, as it was when `report` (`docker inspect`) was read."""

    host: Host
    lab: str
    name: str
    report: Json

    @property
    def id(self) -> str:
        return str(self.report["Id"])

    @property
    def image(self) -> str:
        """The tag that it was created from."""
        return str(self.report["Config"]["Image"])

    @property
    def running(self) -> bool:
        return bool(self.report["State"]["Running"])

    @property
    def process(self) -> int:
        return int(self.report["State"]["Pid"])

    @property
    def networks(self) -> frozenset[str]:
        return frozenset(self.report["NetworkSettings"]["Networks"])

    @property
    def labels(self) -> Json:
        return self.report["Config"].get("Labels") or {}

    @property
    def ours(self) -> bool:
        return is_ours(self.lab, self.labels)

    def own(self) -> OwnContainer:
        """The handle by which it can be changed.

        Raises NotOurs when the lab did not create it.
        """
        return OwnContainer(self.host, self.lab, self.name, self.report)

    def now(self) -> Self:
        """The same container as it is now; raises NoSuchContainer when it is gone."""
        return replace(self, report=_inspect(self.host, self.id, self.name))


@dataclass(frozen=True)
class OwnContainer(ContainerHandle):
    """A container that this lab created.

    Everything acts by id, never on another container of that name.

    Raises NotOurs when it is made for any other container.
    """

    def __post_init__(self) -> None:
        if not self.ours:
            raise not_ours(self.host, "container", self.name, self.labels)

    def stop(self) -> None:
        with self._engine("stop") as api:
            api.stop(self.id, timeout=_STOP_SECONDS)

    def start(self) -> None:
        """Start it; raises EndedAtOnce."""
        with self._engine("start") as api:
            api.start(self.id)
        self.stays_up()

    def restart(self) -> None:
        """Stop and start it; raises EndedAtOnce."""
        with self._engine("restart") as api:
            api.restart(self.id, timeout=_STOP_SECONDS)
        self.stays_up()

    def kill(self) -> None:
        """End its processes with SIGKILL, and wait until they have ended.

        The engine answers before.
        """
        process = self.process
        with self._engine("kill") as api:
            api.kill(self.id)
        what = f"the process of container {self.name} to end"
        wait_until(lambda: self.now().process != process, what, _STOP_SECONDS, subject=self.host.name)

    def remove(self) -> None:
        """Stop and remove it with its anonymous volumes."""
        remove_container(self.host, self.name, self.id)

    def connect(self, wanted: WantedContainer, network: str) -> None:
        """Put it on a network with the aliases and the address that `wanted` has there."""
        self._require_own_network(network)
        connect_container(self.host, wanted, network, self.id)

    def disconnect(self, network: str) -> None:
        self._require_own_network(network)
        with self._engine(f"disconnect from network {network}") as api:
            api.disconnect_container_from_network(self.id, network, force=True)

    def stays_up(self) -> None:
        """Watch it after a start.

        Raises EndedAtOnce with what it printed when it ends or is started again.
        """
        process, deadline = self.now().process, time.monotonic() + _STAYS_SECONDS
        what = f"container {self.name} to stay up"
        ended = wait_until(lambda: self._fate(process, deadline), what, _STOP_SECONDS, subject=self.host.name)
        if ended == _STAYS:
            return
        with self._engine("read the log of") as api:
            log = api.logs(self.id, tail=30).decode(errors="replace")
        raise EndedAtOnce(
            self.host.name,
            f"container {self.name} ended right after its start: {ended}",
            remedy=f"`docker logs {self.name}` says why.",
            detail=log,
        )

    def _fate(self, process: int, deadline: float) -> str:
        """How it has ended since it had that process.

        Empty while it runs, and _STAYS when it does at the deadline.
        """
        late = not seconds_left(deadline)
        state = self.now().report["State"]
        if state["Running"] and not state.get("Restarting") and state["Pid"] == process != 0:
            return _STAYS if late else ""
        return f"{state['Status']}, exit code {state['ExitCode']}"

    def _require_own_network(self, network: str) -> None:
        """Raise NotOurs when a network that others created would get or lose an endpoint."""
        if network in _PREDEFINED:
            return
        with self._engine(f"inspect network {network} for") as api:
            labels = api.inspect_network(network).get("Labels")
        if not is_ours(self.lab, labels):
            raise not_ours(self.host, "network", network, labels)

    @contextmanager
    def _engine(self, doing: str) -> Iterator[Any]:
        with engine(self.host, f"{doing} container {self.name}") as api:
            try:
                yield api
            except docker.errors.NotFound as error:
                if "No such container" not in str(error.explanation):
                    raise
                raise _missing(self.host, self.name) from error


def find_container(host: Host, lab: str, name: str) -> ContainerHandle:
    """The container of that name, whoever created it; raises NoSuchContainer."""
    return ContainerHandle(host, lab, name, _inspect(host, name, name))


def not_ours(host: Host, kind: str, name: str, labels: Json | None) -> NotOurs:
    """The error of an object that the lab did not create."""
    other = (labels or {}).get(LABEL_LAB)
    whose = f"was created by the lab {other}" if other else "was not created by clusterlab"
    return NotOurs(
        host.name,
        f"{kind} {name} {whose}, so it is not changed",
        remedy=f"Rename the {kind} in the play, or remove the other one: see `docker {kind} inspect {name}`.",
    )


def _inspect(host: Host, key: str, name: str) -> Json:
    with engine(host, f"inspect container {name}") as api:
        try:
            report: Json = api.inspect_container(key)
        except docker.errors.NotFound as error:
            raise _missing(host, name) from error
    return report


def _missing(host: Host, name: str) -> NoSuchContainer:
    return NoSuchContainer(
        host.name, f"there is no container {name} on {host.name}", remedy="`clusterlab apply` creates it"
    )

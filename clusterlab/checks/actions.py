"""Actions between the probes of a check, and putting back what they changed."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import docker.errors

from clusterlab.errors import ClusterlabError
from clusterlab.model.actions import Action, Connection
from clusterlab.resources.containers import connect_container, create_container
from clusterlab.resources.removal import remove_container, wait_for

from .finding import Finding, finding, unasked
from .place import Place, Places, WrongAnswer
from .spec import require_volumes, wanted
from .swarm_actions import SwarmActions

_ENDING = ("stop", "restart", "kill")
_STOP_SECONDS = 10  # what a container gets to end by itself, as `docker stop` gives it


@dataclass(frozen=True)
class _State:
    """What actions may change of a container."""

    id: str
    image: str  # the tag that it was made from
    running: bool
    process: int
    networks: frozenset[str]

    def __str__(self) -> str:
        return "running" if self.running else "stopped"


class Actions:
    """Carries out actions, and remembers how each container was before the first of them."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._before: dict[Place, _State] = {}
        self._recreated: set[Place] = set()
        self._swarm = SwarmActions(places)

    def act(self, action: Action) -> Finding:
        """Do it. What ends a container's processes must find them running: the play wants them to be."""
        if not action.container:
            return self._swarm.act(action)
        place = self._places.container(action.container)
        try:
            before = _state(place, self._places)
            self._before.setdefault(place, before)
            if action.name in _ENDING:
                self._places.inspect(place)  # raises WrongAnswer when it does not run
            if action.name == "recreate":
                self._recreated.add(place)
            _DO[action.name](self._places, place, before, getattr(action, action.name))
            after = _state(place, self._places)
        except ClusterlabError as error:
            return unasked(place, _aim(action), error)
        return finding(
            place.host,
            typed(action),
            holds=True,
            wanted=_aim(action),
            found=_told(action, before, after),
        )

    def put_back(self) -> list[Finding]:
        """Make every container as it was; a finding for each with which that failed."""
        failed = []
        for place, before in self._before.items():
            try:
                self._restore(place, before)
            except ClusterlabError as error:
                failed.append(unasked(place, f"{place} is {'started' if before.running else 'stopped'} again", error))
        return [*failed, *self._swarm.put_back()]

    def _restore(self, place: Place, before: _State) -> None:
        try:
            now = _state(place, self._places)
        except WrongAnswer:
            if place not in self._recreated:
                raise
            _make(self._places, place, before.image)  # its successor could not be made in the first attempt
            now = _state(place, self._places)
        for network in before.networks - now.networks:
            _connect(self._places, place, now, Connection(container=place.container, network=network))
        for network in now.networks - before.networks:
            _disconnect(self._places, place, now, Connection(container=place.container, network=network))
        if now.running is not before.running:
            (_start if before.running else _stop)(self._places, place, now, place.container)


def _aim(action: Action) -> str:
    value = getattr(action, action.name)
    if isinstance(value, Connection):
        return f"{value.container} is {'on' if action.name == 'connect' else 'off'} network {value.network}"
    return f"{value} is {_DONE[action.name]}"


_DONE = {"stop": "stopped", "start": "started", "restart": "started again", "kill": "killed", "recreate": "made anew"}


def typed(action: Action) -> str:
    """The command that does it, as a person would type it."""
    value = getattr(action, action.name)
    if isinstance(value, Connection):
        return shlex.join(["docker", "network", action.name, value.network, value.container])
    if action.name == "recreate":
        return f"docker stop {value} && docker rm --volumes {value} && docker run --detach --name {value} ..."
    return f"docker {action.name} {value}"


def _told(action: Action, before: _State, after: _State) -> str:
    if action.name == "recreate":
        return f"it was container {before.id[:12]}, and is {after.id[:12]} now"
    if isinstance(getattr(action, action.name), Connection):
        return f"it is on {', '.join(sorted(after.networks)) or 'no network'} now"
    return f"it was {before}, and is {after} now"


@contextmanager
def _engine(places: Places, place: Place) -> Iterator[Any]:
    with places.engine(place.host) as engine:
        try:
            yield engine
        except docker.errors.NotFound as error:
            if "No such container" not in str(error.explanation):
                raise
            raise WrongAnswer(f"there is no container {place}", remedy="`clusterlab apply` makes it") from error


def _state(place: Place, places: Places) -> _State:
    with _engine(places, place) as engine:
        report = engine.inspect_container(place.container)
    state = report["State"]
    return _State(
        report["Id"],
        report["Config"]["Image"],
        bool(state["Running"]),
        int(state["Pid"]),
        frozenset(report["NetworkSettings"]["Networks"]),
    )


def _stop(places: Places, place: Place, before: _State, value: object) -> None:
    with _engine(places, place) as engine:
        engine.stop(place.container, timeout=_STOP_SECONDS)


def _start(places: Places, place: Place, before: _State, value: object) -> None:
    with _engine(places, place) as engine:
        engine.start(place.container)


def _restart(places: Places, place: Place, before: _State, value: object) -> None:
    with _engine(places, place) as engine:
        engine.restart(place.container, timeout=_STOP_SECONDS)


def _kill(places: Places, place: Place, before: _State, value: object) -> None:
    """SIGKILL; the engine answers before the process has ended."""
    with _engine(places, place) as engine:
        engine.kill(place.container)
        ended: Callable[[], bool] = lambda: _state(place, places).process != before.process  # noqa: E731
        wait_for(ended, f"the process of container {place.container} to end", place.host, _STOP_SECONDS)


def _recreate(places: Places, place: Place, before: _State, value: object) -> None:
    require_volumes(places, place, places.play.containers[place.container].volumes)
    remove_container(places.hosts[place.host], place.container)
    _make(places, place, before.image)


def _make(places: Places, place: Place, image: str) -> None:
    create_container(
        places.hosts[place.host], wanted(places, place.container, places.play.containers[place.container], image)
    )


def _connect(places: Places, place: Place, before: _State, value: object) -> None:
    """As the play wants the container on that network, when it does."""
    assert isinstance(value, Connection)
    if value.network not in before.networks:
        container = places.play.containers[place.container]
        connect_container(
            places.hosts[place.host], wanted(places, place.container, container, before.image), value.network
        )


def _disconnect(places: Places, place: Place, before: _State, value: object) -> None:
    assert isinstance(value, Connection)
    if value.network in before.networks:
        with _engine(places, place) as engine:
            engine.disconnect_container_from_network(place.container, value.network, force=True)


_DO: Mapping[str, Callable[[Places, Place, _State, object], None]] = {
    "stop": _stop,
    "start": _start,
    "restart": _restart,
    "kill": _kill,
    "recreate": _recreate,
    "connect": _connect,
    "disconnect": _disconnect,
}

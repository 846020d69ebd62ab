"""Actions between the probes of a check, and restoring what they changed.

Everything goes through handles (`clusterlab.resources.container_handle`, `swarm_handle`): only what the lab created
can be changed.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping

from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.faults import safety
from clusterlab.faults.kinds import FAULTS
from clusterlab.model.actions import Action, Connection
from clusterlab.model.checks import Check
from clusterlab.model.inventory import Inventory
from clusterlab.resources.container_actions import create_container
from clusterlab.resources.container_handle import (
    ContainerHandle,
    EndedAtOnce,
    NoSuchContainer,
    OwnContainer,
    find_container,
)
from clusterlab.results import Cause

from .fault_actions import FaultActions
from .finding import Finding, finding, unasked
from .place import Place, WrongAnswer
from .places import Places
from .spec import require_volumes, wanted
from .swarm_actions import SwarmActions

_ENDING = ("stop", "restart", "kill")


def not_allowed(check: Check, inventory: Inventory) -> Cause | None:
    """Why the actions of a check may not run on the machines of an inventory."""
    for action in (step.do for step in check.steps if step.do is not None and step.do.fault is not None):
        kind = FAULTS[action.name]
        if why := safety.allowed(kind, inventory):
            return Cause("faults-not-allowed", inventory.lab, f"{action.name}: {why}", safety.remedy(kind))
    if inventory.actions_allowed or not any(step.do and not step.do.breaks for step in check.steps):
        return None
    return Cause(
        "actions-not-allowed",
        inventory.lab,
        "checks may not stop, restart, drain or change anything on existing machines",
        "set `allow_actions: true` in the inventory; even then only what the lab created is changed",
    )


class Actions:
    """Carries out actions on containers.

    It remembers how each container was before the first of them.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._before: dict[Place, OwnContainer] = {}
        self._recreated: set[Place] = set()
        self._swarm = SwarmActions(places)
        self._faults = FaultActions(places)

    def act(self, action: Action) -> Finding:
        """Carry out an action.

        What ends a container's processes must find them running, as the play wants them.

        Raises UsageError when the inventory does not allow actions: see `not_allowed`.
        """
        if action.breaks:
            return self._faults.act(action)
        if not self._places.lab.inventory.actions_allowed:
            raise UsageError("the inventory does not allow actions", remedy="Set `allow_actions: true` in it.")
        if not action.container:
            return self._swarm.act(action)
        place = self._places.container(action.container)
        try:
            before = self._find(place)
            self._before.setdefault(place, before)
            if action.name in _ENDING:
                self._places.inspect(place)  # raises WrongAnswer when it does not run
            if action.name == "recreate":
                self._recreated.add(place)
            _DO[action.name](self._places, place, before, getattr(action, action.name))
            after = self._find(place)
        except (EndedAtOnce, NoSuchContainer) as error:
            return unasked(place, _aim(action), _wrong(error))
        except ClusterlabError as error:
            return unasked(place, _aim(action), error)
        return finding(
            place.host,
            shell_command(action),
            holds=True,
            wanted=_aim(action),
            found=_describe(action, before, after),
        )

    def restore(self) -> list[Finding]:
        """Heal faults, restore every container, service and node.

        A finding for each with which that failed.
        """
        failed = self._faults.restore()
        for place, before in self._before.items():
            try:
                self._restore(place, before)
            except ClusterlabError as error:
                failed.append(unasked(place, f"{place} is {'started' if before.running else 'stopped'} again", error))
        return [*failed, *self._swarm.restore()]

    def _find(self, place: Place) -> OwnContainer:
        return find_container(self._places.hosts[place.host], self._places.lab.name, place.container).own()

    def _restore(self, place: Place, before: OwnContainer) -> None:
        try:
            now = self._find(place)
        except NoSuchContainer as error:
            if place not in self._recreated:
                raise _wrong(error) from error
            _create(self._places, place, before)  # its successor could not be created in the first attempt
            now = self._find(place)
        for network in before.networks - now.networks:
            _connect(self._places, place, now, Connection(container=place.container, network=network))
        for network in now.networks - before.networks:
            now.disconnect(network)
        if now.running and not before.running:
            now.stop()
        elif before.running and not now.running:
            now.start()


def _wrong(error: ClusterlabError) -> WrongAnswer:
    return WrongAnswer(error.message, detail=error.detail, remedy=error.remedy)


def _aim(action: Action) -> str:
    value = getattr(action, action.name)
    if isinstance(value, Connection):
        return f"{value.container} is {'on' if action.name == 'connect' else 'off'} network {value.network}"
    return f"{value} is {_DONE[action.name]}"


_DONE = {"stop": "stopped", "start": "started", "restart": "restarted", "kill": "killed", "recreate": "recreated"}


def shell_command(action: Action) -> str:
    """The command that does it, as a person would type it."""
    value = getattr(action, action.name)
    if isinstance(value, Connection):
        return shlex.join(["docker", "network", action.name, value.network, value.container])
    if action.name == "recreate":
        return f"docker stop {value} && docker rm --volumes {value} && docker run --detach --name {value} ..."
    return f"docker {action.name} {value}"


def _describe(action: Action, before: ContainerHandle, after: ContainerHandle) -> str:
    if action.name == "recreate":
        return f"it was container {before.id[:12]}, and is {after.id[:12]} now"
    if isinstance(getattr(action, action.name), Connection):
        return f"it is on {', '.join(sorted(after.networks)) or 'no network'} now"
    return f"it was {_state(before)}, and is {_state(after)} now"


def _state(container: ContainerHandle) -> str:
    return "running" if container.running else "stopped"


def _recreate(places: Places, place: Place, before: OwnContainer, value: object) -> None:
    require_volumes(places, place, places.play.containers[place.container].volumes)
    before.remove()
    _create(places, place, before)


def _create(places: Places, place: Place, before: OwnContainer) -> None:
    """A successor from the same image, as the play describes the container."""
    container = places.play.containers[place.container]
    create_container(places.hosts[place.host], wanted(places, place.container, container, before.image))
    created = find_container(places.hosts[place.host], places.lab.name, place.container).own()
    if before.running:
        created.stays_up()


def _connect(places: Places, place: Place, before: OwnContainer, value: object) -> None:
    """As the play wants the container on that network, when it does."""
    assert isinstance(value, Connection)
    if value.network not in before.networks:
        container = places.play.containers[place.container]
        before.connect(wanted(places, place.container, container, before.image), value.network)


def _disconnect(places: Places, place: Place, before: OwnContainer, value: object) -> None:
    assert isinstance(value, Connection)
    if value.network in before.networks:
        before.disconnect(value.network)


_DO: Mapping[str, Callable[[Places, Place, OwnContainer, object], None]] = {
    "stop": lambda places, place, container, value: container.stop(),
    "start": lambda places, place, container, value: container.start(),
    "restart": lambda places, place, container, value: container.restart(),
    "kill": lambda places, place, container, value: container.kill(),
    "recreate": _recreate,
    "connect": _connect,
    "disconnect": _disconnect,
}

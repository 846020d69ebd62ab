"""Which preconditions a check depends on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeGuard

from clusterlab.model import Lab
from clusterlab.model.actions import Action
from clusterlab.model.base import Model
from clusterlab.model.checks import Check, Step
from clusterlab.model.needs import volume_servers
from clusterlab.model.playbook import Play
from clusterlab.model.short_syntax import parse_mount

from .kinds import KINDS
from .kinds.command import CommandProbe
from .preconditions import (
    ContainerRuns,
    EngineAnswers,
    HostReachable,
    InSwarm,
    ManagerAnswers,
    NfsServerAnswers,
    NodeAvailable,
    Precondition,
    ServiceRuns,
)
from .subjects import Subjects
from .volume_paths import mounted

_HOSTNAME = re.compile(r"\s*node\.hostname\s*==\s*(\S+)\s*")
_MOUNTING = ("start", "restart", "stop", "kill", "recreate")  # what was stopped is started when the check ends


@dataclass(frozen=True)
class Dependencies:
    """`before` are the preconditions of a check.

    Without them it cannot be probed, or what its actions changed could not be restored.

    `during` are those that explain a failure: without them it can be asked, and when it then fails they are the cause.
    What the check itself changes is not among those; a check that injects faults may change anything.
    """

    before: tuple[Precondition, ...] = ()
    during: tuple[Precondition, ...] = ()


def dependencies(check: Check, lab: Lab, play: Play, about: Subjects) -> Dependencies:
    """What a check depends on."""
    own = _changed(check, lab)
    probes = [one for kind, probe in _probes(check) for one in _asking(kind, probe, lab, play)]
    asking = [EngineAnswers(one.host) if own.may_start(one) else one for one in probes]
    acting = [*_acting(check, lab, play), *_acting_on_services(check, lab, play)]
    holding = [*probes, *_hosts(check, lab, play, about), *_objects(lab, play, about, check)]
    return Dependencies(
        tuple(dict.fromkeys([*asking, *acting, *_serving(check, lab, play)])),
        tuple(one for one in dict.fromkeys([*_acting(check, lab, play), *holding]) if not own.concerns(one)),
    )


@dataclass(frozen=True)
class _Changed:
    """What the steps of a check change themselves: none of that is a precondition."""

    containers: frozenset[str]
    services: frozenset[str]
    drains: bool
    faults: bool
    hosts: frozenset[str]  # on which it runs commands, which may change anything there, and on a manager in the Swarm

    def may_start(self, one: Precondition) -> TypeGuard[ContainerRuns]:
        """Whether the check itself may start this container before it probes there."""
        return isinstance(one, ContainerRuns) and (one.container in self.containers or one.host in self.hosts)

    def concerns(self, one: Precondition) -> bool:
        if self.faults:
            return True
        if self.hosts & set(one.hosts):
            return not isinstance(one, HostReachable)
        if isinstance(one, ContainerRuns):
            return one.container in self.containers
        if isinstance(one, ServiceRuns):
            return self.drains or one.service in self.services
        return isinstance(one, NodeAvailable) and self.drains


def _changed(check: Check, lab: Lab) -> _Changed:
    actions = [step.do for step in check.steps if step.do is not None]
    return _Changed(
        frozenset(action.container for action in actions if action.container),
        frozenset(action.service for action in actions if action.service),
        any(action.drain is not None for action in actions),
        check.faults,
        frozenset(host for step in check.steps for host in lab.expand(_commanded(step))),
    )


def _commanded(step: Step) -> list[str]:
    """The hosts and roles on which a step runs a command."""
    return step.probe.on if isinstance(step.probe, CommandProbe) else []


def _probes(check: Check) -> Iterator[tuple[str, Model]]:
    for _, kind, probe in check.probes():
        yield kind, probe


def _on_objects(check: Check) -> Iterator[Action]:
    """The actions of a check on what the lab created."""
    yield from (step.do for step in check.steps if step.do is not None and not step.do.breaks)


def _acting(check: Check, lab: Lab, play: Play) -> Iterator[Precondition]:
    """What actions need: engines for containers, managers for services and nodes."""
    for action in _on_objects(check):
        if action.container in play.containers:
            yield EngineAnswers(play.containers[action.container].host)
        elif _managers(lab):
            yield ManagerAnswers(_managers(lab))


def _acting_on_services(check: Check, lab: Lab, play: Play) -> Iterator[Precondition]:
    """The nodes that may run tasks of the services that a check changes.

    All nodes when it drains one of them.
    """
    for action in _on_objects(check):
        hosts = lab.inventory.active_nodes if action.drain is not None else []
        if action.service in play.services:
            hosts = _eligible(lab, play, action.service)
        if _managers(lab):
            yield from (_available(lab, host) for host in hosts)


def _serving(check: Check, lab: Lab, play: Play) -> Iterator[Precondition]:
    """The NFS servers of the volumes that a check opens or mounts.

    It would wait minutes for one that does not answer.

    The inventory wants a server to answer, so that a check itself runs commands on its host makes no difference.
    """
    volumes = {name for kind, probe in _probes(check) for name in KINDS[kind].opens(probe, play)}
    for action in (step.do for step in check.steps if step.do is not None):
        if action.container in play.containers and action.name in _MOUNTING:
            volumes |= {name for name, _ in mounted(play, action.container)}
        elif action.service in play.services:
            volumes |= _sources(play, action.service)
        elif action.drain is not None:
            volumes |= {name for service in play.services for name in _sources(play, service)}
    yield from (NfsServerAnswers(server) for server in _servers(lab, play, volumes))


def _sources(play: Play, service: str) -> set[str]:
    """What the tasks of a service mount, by name."""
    return {parse_mount(text).source for text in play.services[service].volumes}


def _asking(kind: str, probe: Model, lab: Lab, play: Play) -> Iterator[Precondition]:
    """What a probe needs to be asked.

    Its hosts, their engines or the managers, and the containers that it runs in.
    """
    hosts = [host for host in lab.inventory.hosts if host in KINDS[kind].hosts(probe, lab, play)]
    asks = KINDS[kind].asks(probe, play)
    if asks == "manager" and _managers(lab):
        yield ManagerAnswers(_managers(lab))
    elif asks == "place":
        yield from (HostReachable(host) for host in hosts)
    else:
        yield from (EngineAnswers(host) for host in hosts)
    inside = getattr(probe, "in_", [])
    yield from (_runs(play, name) for name in inside if play.host_of(name))


def _hosts(check: Check, lab: Lab, play: Play, about: Subjects) -> Iterator[Precondition]:
    """Hosts that a check names without running there.

    What they serve needs them, and mostly their engine.
    """
    at = {host for kind, probe in _probes(check) for host in KINDS[kind].hosts(probe, lab, play)}
    for host in sorted(about.hosts - at):
        yield EngineAnswers(host) if host in lab.inventory.docker_hosts else HostReachable(host)


def _objects(lab: Lab, play: Play, about: Subjects, check: Check) -> Iterator[Precondition]:
    """Containers and services that a check names, and what they depend on.

    That is the Swarm and the NFS servers.
    """
    managers = _managers(lab)
    services = sorted(name.removeprefix("service ") for name in about.within if name.startswith("service "))
    containers = sorted(about.containers)
    volumes = {volume for name in containers if name in play.containers for volume, _ in mounted(play, name)}
    volumes |= {name for service in services if service in play.services for name in _sources(play, service)}
    volumes |= {name for kind, probe in _probes(check) for name in KINDS[kind].touches(probe).volumes}
    for name in sorted(about.containers & set(play.containers)):
        networks = [play.networks[one] for one in play.containers[name].networks if one in play.networks]
        if any(network.driver == "overlay" for network in networks):
            yield InSwarm(play.containers[name].host)
    if managers:
        for name in services:
            for host in _eligible(lab, play, name):
                yield _available(lab, host)
    for server in _servers(lab, play, volumes):
        yield NfsServerAnswers(server)
    if all(KINDS[kind].asks(probe, play) != "place" for kind, probe in _probes(check)):
        return  # it is about what is reported of these objects themselves
    for name in containers:
        yield _runs(play, name)
    if managers:
        external = play.external.services
        yield from (ServiceRuns(name, managers, external=name in external) for name in services)


def _runs(play: Play, container: str) -> ContainerRuns:
    return ContainerRuns(str(play.host_of(container)), container, external=container in play.external.containers)


def _managers(lab: Lab) -> tuple[str, ...]:
    return tuple(lab.inventory.with_role("swarm_manager"))


def _available(lab: Lab, host: str) -> NodeAvailable:
    at = lab.inventory.hosts[host]
    return NodeAvailable(host, str(at.address), _managers(lab), lab.name, at.availability)


def _eligible(lab: Lab, play: Play, service: str) -> list[str]:
    """The nodes that may run tasks of a service, by its constraints."""
    hosts = lab.inventory.active_nodes
    own = play.services.get(service)
    for text in own.deploy.placement.constraints if own else []:
        if named := _HOSTNAME.fullmatch(text):
            hosts = [name for name in hosts if name == named[1]]
    return hosts


def _servers(lab: Lab, play: Play, volumes: Iterable[str]) -> list[str]:
    """The lab's NFS servers of these volumes."""
    found = {server for name in volumes if name in play.volumes for server in volume_servers(lab, play, name)}
    return sorted(found)

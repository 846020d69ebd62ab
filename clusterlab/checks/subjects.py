"""What a check is about.

The hosts and containers that it asks, addresses or changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from clusterlab.model import Lab
from clusterlab.model.checks import Check
from clusterlab.model.playbook import Play
from clusterlab.model.short_syntax import parse_port

from .kinds import KINDS
from .places import Places


@dataclass(frozen=True)
class Subjects:
    """`hosts` and `containers` that a check has to do with.

    `changes` are those that its actions stop or start.

    `within` are its hosts as its play sees them: HOST in PLAY. A check that is `alone` conflicts with every other.
    """

    hosts: frozenset[str]
    containers: frozenset[str]
    changes: frozenset[str]
    within: frozenset[str] = frozenset()
    alone: bool = False

    def conflicts(self, other: Subjects) -> bool:
        """Whether the two must not run at the same time.

        One changes what the other has to do with.
        """
        return self.alone or other.alone or bool(self.changes & other._all or other.changes & self._all)

    @property
    def _all(self) -> frozenset[str]:
        return self.hosts | self.containers | self.changes | self.within


def subjects(check: Check, places: Places) -> Subjects:
    """Found in the places of the probes, and wherever their texts name one.

    A name or an address: rather too many.
    """
    lab, play = places.lab, places.play
    if check.lacks:
        return Subjects(frozenset(), frozenset(), frozenset())  # it is not carried out
    words = frozenset(_words(check))
    hosts = _named_hosts(words, lab) | {
        host for _, kind, probe in check.probes() for host in KINDS[kind].hosts(probe, lab, play)
    }
    containers = words & frozenset(play.known_containers)
    within = frozenset(f"{host} in {places.play_name}" for host in hosts) | _services(words, play)
    return Subjects(hosts, containers, _changes(check, places), within, check.faults)


def _changes(check: Check, places: Places) -> frozenset[str]:
    """The containers that are acted on, and what that changes of their hosts.

    One that is seen from outside changes what its host answers to everybody, any other only what its own play may
    ask of the host: whether it is listed, say, or what lies in its directories.
    """
    actions = [step.do for step in check.steps if step.do is not None]
    changes = {f"service {action.service}" for action in actions if action.service}
    for host in {action.drain for action in actions if action.drain is not None}:
        changes |= {f"{host} in {places.play_name}", *_all_services(places.lab)}
    for name in {action.container for action in actions}:
        container = places.play.containers.get(name)
        if container is not None:
            seen = bool(container.ports) or container.network_mode == "host"
            changes |= {name, container.host if seen else f"{container.host} in {places.play_name}"}
    return frozenset(changes)


def _services(words: frozenset[str], play: Play) -> frozenset[str]:
    """Services that are named, by a port of the hosts that they publish too."""
    external = {name for name in play.external.services if words & {name, f"tasks.{name}"}}
    return frozenset(f"service {name}" for name in external) | frozenset(
        f"service {name}"
        for name, service in play.services.items()
        if words & {name, f"tasks.{name}", *(str(parse_port(text).host_port) for text in service.ports)}
    )


def _all_services(lab: Lab) -> Iterator[str]:
    """A drained host gives away the tasks of all."""
    for play in lab.plays.values():
        yield from (f"service {name}" for name in play.services)


def _named_hosts(words: frozenset[str], lab: Lab) -> frozenset[str]:
    """Hosts that are named, by group or address too."""
    by_address = {name for name, host in lab.inventory.hosts.items() if str(host.address) in words}
    return frozenset(lab.expand(list(words))) | by_address


def _words(value: object) -> Iterator[str]:
    """Every name-like word in every text of a model, and every number."""
    if isinstance(value, BaseModel):
        for name in value.model_fields_set:
            yield from _words(getattr(value, name))
    elif isinstance(value, str):
        yield from re.findall(r"[\w.-]*\w", value)
    elif isinstance(value, int):
        yield str(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _words(key)
            yield from _words(item)
    elif isinstance(value, Iterable):
        for item in value:
            yield from _words(item)

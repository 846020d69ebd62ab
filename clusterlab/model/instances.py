"""Containers with `hosts`.

One on each of them, and what names one or all of these.

The instance of `probe` on host1 is the container `probe-host1`, also written `probe@host1`. Where containers or targets
are listed, `probe` means all of them; an action on `probe` is done to each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from .actions import Connection
from .checks import Check, Step
from .inventory import Inventory
from .playbook import Container, Play
from .probes import Address, Control, Probe, ReachProbe

Instances = Mapping[str, Mapping[str, str]]
"""Of each container with `hosts`, the name of the one on each host."""


def instantiated(play: Play, inventory: Inventory) -> Play:
    """The play with a container for each host of those that have `hosts`.

    Its checks name these.

    Hosts that the inventory does not have are left as they are: validation reports them.
    """
    instances = {
        name: {host: f"{name}-{host}" for host in _hosts(container, inventory)}
        for name, container in play.containers.items()
        if container.hosts
    }
    if not instances:
        return play
    containers: dict[str, Container] = {}
    for name, container in play.containers.items():
        if name in instances:
            containers |= {one: _on(container, host, instances) for host, one in instances[name].items()}
        else:
            containers[name] = _on(container, container.host, instances)
    checks = [_renamed(check, instances) for check in play.checks]
    return play.model_copy(update={"containers": containers, "checks": checks}).with_instances(instances)


def _hosts(container: Container, inventory: Inventory) -> list[str]:
    unknown = [place for place in container.hosts if not inventory.expand([place])]
    return [*inventory.expand(container.hosts), *unknown]


def _on(container: Container, host: str, instances: Instances) -> Container:
    """The container on one host.

    It takes volumes from the instance that is on the same host.
    """
    sources = []
    for text in container.volumes_from:
        name, colon, mode = text.partition(":")
        sources.append(f"{_one(name, instances, instances.get(name, {}).get(host, name))}{colon}{mode}")
    return container.model_copy(update={"host": host, "hosts": [], "volumes_from": sources})


def _one(name: str, instances: Instances, otherwise: str) -> str:
    """The container that is written NAME@HOST."""
    group, _, host = name.partition("@")
    return instances.get(group, {}).get(host, otherwise)


def _renamed(value: Any, instances: Instances) -> Any:
    """A check, or a part of it, in which instances are named as their containers."""
    match value:
        case str():
            return _one(value, instances, value)
        case list():
            return [_renamed(item, instances) for item in value]
        case BaseModel():
            changes = {name: _field(value, name, instances) for name in value.model_fields_set}
            changed = {name: one for name, one in changes.items() if one != getattr(value, name)}
            return value.model_copy(update=changed) if changed else value
        case _:
            return value


def _field(model: BaseModel, name: str, instances: Instances) -> Any:
    value = getattr(model, name)
    if isinstance(model, Probe | Control) and name == "in_":
        return [one for item in value for one in _all(item, instances)]
    if isinstance(model, ReachProbe) and name in model.target:
        found = [one for item in (value if isinstance(value, list) else [value]) for one in _all(item, instances)]
        named = value.container if isinstance(value, Address) else value
        return found if isinstance(value, list) or named in instances else found[0]
    return _renamed(value, instances)


def _all(item: Any, instances: Instances) -> list[Any]:
    """The containers or their addresses that one item of a list means."""
    if isinstance(item, Address) and item.container is not None and item.container in instances:
        return [item.model_copy(update={"container": one}) for one in instances[item.container].values()]
    if isinstance(item, str) and item in instances:
        return list(instances[item].values())
    return [_renamed(item, instances)]


def one_by_one(play: Play) -> Play:
    """The play with an action for each instance, where one was written for all."""
    if not play.instances:
        return play
    checks = [_steps(check, play.instances) for check in play.checks]
    return play.model_copy(update={"checks": checks}).with_instances(play.instances)


def _steps(check: Check, instances: Instances) -> Check:
    steps = [one for step in check.steps for one in _actions(step, instances)]
    return check.model_copy(update={"steps": steps}) if len(steps) != len(check.steps) else check


def _actions(step: Step, instances: Instances) -> Iterator[Step]:
    action = step.do
    if action is None or action.container not in instances:
        yield step
        return
    for one in instances[action.container].values():
        value = getattr(action, action.name)
        changed = value.model_copy(update={"container": one}) if isinstance(value, Connection) else one
        yield step.model_copy(update={"do": action.model_copy(update={action.name: changed})})

"""Ending the services that use something which is replaced; changes of their own create them again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .base import Key
from .engine_calls import shell
from .removal import TaskWait, is_taken, remove_service, service_losses, wait_for_tasks_to_end
from .scope import Scope


def keys(key: Key, services: Iterable[str]) -> frozenset[Key]:
    """Services of the Swarm that something with `key` belongs to."""
    return frozenset(Key(key.host, "service", name) for name in services)


def end(scope: Scope, key: Key, services: Iterable[str]) -> None:
    """Remove the services, and wait until their tasks have ended."""
    for name in services:
        view = scope.swarms[key.host]
        remove_service(view.at.host, name, view.services[name]["ID"])
        wait_for_tasks_to_end(scope.hosts, name)


def commands(scope: Scope, key: Key, services: Sequence[str]) -> list[str]:
    """The same as a person types it, without services that an earlier change ends."""
    gone = [one for one in services if is_taken(scope, Key(key.host, "service", one))]
    stop = [shell(["docker", "service", "rm", one]) for one in services if one not in gone]
    return [*stop, *(TaskWait(one).command for one in services)]


def losses(scope: Scope, services: Iterable[str]) -> list[str]:
    """Which data ends with them."""
    return [text for service in services if (text := service_losses(scope, service))]

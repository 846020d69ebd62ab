"""What must be true of a stack that runs, as checks that nobody had to write.

A pure function of the stack: no host is asked. Each statement has a key by which it is turned off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from clusterlab.model.problems import Problem, suggest
from clusterlab.stacks.load import Loaded
from clusterlab.stacks.stack import Service, Stack

from . import mounts, networks, tasks
from .statement import Statement

__all__ = ["KEYS", "Statement", "statements", "unknown_keys"]

_Derive = Callable[[Stack, Service], Iterator[Statement]]

_OF_SERVICE: Mapping[str, _Derive] = {
    "spec": tasks.spec,
    "running": tasks.running,
    "placed": tasks.placed,
    "healthy": tasks.healthy,
    "published": networks.published,
    "names": networks.names,
    "reached": networks.reached,
    "apart": networks.apart,
    "mounted": mounts.mounted,
    "binds": mounts.binds,
    "files": mounts.files,
}
KEYS = (*_OF_SERVICE, "virtual")
"""The keys by which statements are turned off."""
_OF_TASKS = frozenset(KEYS) - {"spec", "running"}


def statements(stack: Stack, without: Iterable[str] = ()) -> list[Statement]:
    """All statements of a stack but those that are turned off, service by service."""
    off = set(without)
    return [
        one
        for service in stack.services.values()
        for key, derive in _OF_SERVICE.items()
        if key not in _OF_TASKS or not (service.is_job or service.tasks == 0)
        for one in derive(stack, service)
        if not one.matches(off)
    ]


def unknown_keys(loaded: Loaded) -> list[Problem]:
    """What files turn off although there is no such statement."""
    services = loaded.stack.services if loaded.stack else {}
    found = []
    for text, place in loaded.without.items():
        key, _, service = text.partition(":")
        if key not in KEYS:
            message = f"x-clusterlab.without: there is no statement '{key}'"
            found.append(place.problem(message, suggest(key, KEYS, "Statements")))
        elif service and loaded.stack and service not in services:
            message = f"x-clusterlab.without: the stack has no service '{service}'"
            found.append(place.problem(message, suggest(service, services, "Services")))
    return found

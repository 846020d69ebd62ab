"""Templates that the engine refuses, at all places where it expands them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from clusterlab.model.problems import Problem

from .given import Given, Place
from .stack import Service, Stack
from .templates import FIELDS, template_problem


class _Text(NamedTuple):
    """A text in which the engine expands templates."""

    key: str
    text: str
    place: Place
    secret: bool  # whether no part of it may be shown


def template_problems(stack: Stack) -> Iterator[Problem]:
    """What is wrong with the templates of all services."""
    for service in stack.services.values():
        for key, text, place, secret in _expanded(stack, service):
            problem = template_problem(text)
            if problem and secret:
                problem = "it has a field or function that the engine does not know, or is not closed"
            if problem:
                yield place.problem(f"services.{service.name}: the template in {key}: {problem}", f"Fields: {FIELDS}.")


def _expanded(stack: Stack, service: Service) -> Iterator[_Text]:
    if service.hostname:
        yield _of("hostname", service.hostname)
    for name, variable in service.environment.items():
        yield _Text(f"environment.{name}", variable.value or "", variable.place, True)
    for mount in service.volumes:
        yield _Text("volumes", mount.source, mount.place, mount.varies)
        yield _Text("volumes", mount.target, mount.place, mount.varies)
        volume = stack.volumes.get(mount.source) if mount.type == "volume" else None
        if volume:
            if volume.name:
                yield _of(f"volumes.{volume.key}.name", volume.name)
            for key, given in {**volume.labels, **(volume.driver_opts or {})}.items():
                yield _of(f"volumes.{volume.key}.{key}", given)


def _of(key: str, given: Given[str]) -> _Text:
    return _Text(key, given.value, given.place, "$" in given.written)

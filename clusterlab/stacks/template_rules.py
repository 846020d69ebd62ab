"""Templates that the engine refuses, at all places where it expands them."""

from __future__ import annotations

from collections.abc import Iterator

from clusterlab.model.problems import Problem

from .given import Place
from .stack import Service, Stack
from .templates import FIELDS, template_problem


def expanded_texts(stack: Stack, service: Service) -> Iterator[tuple[str, str, Place]]:
    """Every text of a service in which the engine expands templates: its key, the text, its place."""
    if service.hostname:
        yield "hostname", service.hostname.value, service.hostname.place
    for name, given in service.environment.items():
        yield f"environment.{name}", given.value or "", given.place
    for mount in service.volumes:
        yield "volumes", mount.source, mount.place
        yield "volumes", mount.target, mount.place
        volume = stack.volumes.get(mount.source) if mount.type == "volume" else None
        if volume:
            if volume.name:
                yield f"volumes.{volume.key}.name", volume.name.value, volume.name.place
            for key, given_text in {**volume.labels, **(volume.driver_opts or {})}.items():
                yield f"volumes.{volume.key}.{key}", given_text.value, given_text.place


def template_problems(stack: Stack) -> Iterator[Problem]:
    """What is wrong with the templates of all services."""
    for service in stack.services.values():
        for key, text, place in expanded_texts(stack, service):
            if problem := template_problem(text):
                yield place.problem(
                    f"services.{service.name}: the template in {key}: {problem}", f"There are {FIELDS}."
                )

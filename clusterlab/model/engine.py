"""Settings of Docker engines in the inventory, named as in daemon.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field, JsonValue

from .base import Issue

EngineSettings = Annotated[
    dict[str, JsonValue],
    Field(
        default_factory=dict,
        description="keys of the engine's daemon.json; those of a host come before those for all hosts",
        examples=[{"log-opts": {"max-size": "10m", "max-file": "3"}}],
    ),
]
_REFUSED = {
    "hosts": "clusterlab reaches the engine by its socket",
    "data-root": "the engine would start without its images, containers and volumes",
    "exec-root": "the engine would lose its running containers",
    "pidfile": "the engine's unit sets it",
    "containerd": "the engine's unit sets it",
}


def issues(settings: Mapping[str, JsonValue]) -> Iterator[Issue]:
    """Keys that would break the engine for clusterlab, and keys without a value.

    They would take the engine away from clusterlab, or from its data.
    """
    for key, value in settings.items():
        if key in _REFUSED:
            remedy = "Leave it out, or set it before clusterlab is used."
            yield Issue(("engine", key), f"'{key}' cannot be set here: {_REFUSED[key]}", remedy, key=True)
        elif value is None:
            yield Issue(("engine", key), f"'{key}' has no value", "Give it one, or leave the key out.", key=True)

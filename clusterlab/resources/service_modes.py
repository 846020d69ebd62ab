"""Modes of services: how many tasks one has, and whether they run until they have completed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MODES = {
    "Replicated": "replicated", "Global": "global", "ReplicatedJob": "replicated-job", "GlobalJob": "global-job",
}  # fmt: skip
"""The API's names, and those of plays, stack files and commands."""


def mode_of(spec: Mapping[str, Any]) -> str:
    """The mode of a service with `spec`, as files and commands write it."""
    return next((_MODES[key] for key in spec.get("Mode") or {} if key in _MODES), "replicated")


def is_job(spec: Mapping[str, Any]) -> bool:
    """Whether the tasks of a service with `spec` run until they have completed."""
    return mode_of(spec).endswith("-job")


def replicas_of(spec: Mapping[str, Any]) -> int | None:
    """How many tasks a service has, or must have completed as a job; None for one on each node."""
    mode = spec.get("Mode") or {}
    found = (mode.get("Replicated") or {}).get("Replicas")
    found = (mode.get("ReplicatedJob") or {}).get("TotalCompletions") if found is None else found
    return None if found is None else int(found)

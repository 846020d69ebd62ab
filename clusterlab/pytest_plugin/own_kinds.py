"""Kinds that a conftest.py adds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clusterlab.checks.kinds import KINDS
from clusterlab.errors import UsageError
from clusterlab.faults.kinds import FAULTS
from clusterlab.machines.kinds import MACHINE_KINDS
from clusterlab.registry import Registry
from clusterlab.resources.kinds import RESOURCES

_FAMILIES: tuple[Registry[Any], ...] = (KINDS, FAULTS, RESOURCES, MACHINE_KINDS)


def add_kinds(kinds: Iterable[object]) -> None:
    """Add each to its family for this process. Raises UsageError for what is not a kind, or has a taken name."""
    for kind in kinds:
        family = next((one for one in _FAMILIES if one.takes(kind)), None)
        if family is None:
            families = ", ".join(one.family for one in _FAMILIES)
            raise UsageError(
                f"pytest_clusterlab_kinds: {type(kind).__name__} is not a kind", remedy=f"Families: {families}."
            )
        if family.get(getattr(kind, "name", "")) is not kind:  # once in a process is enough
            family.add(kind)

"""A lab: one inventory and the plays that stand on it, validated together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .inventory import Inventory
from .playbook import Play


@dataclass(frozen=True)
class Lab:
    """What every verb works on.

    `plays` maps a play's name (the path below playbooks/ without .yml, as "volumes/nfs") to it, in the order they were
    asked for. `folder` is where relative paths of the inventory start: the folder that the inventory is in.
    """

    inventory: Inventory
    plays: Mapping[str, Play] = field(default_factory=dict)
    folder: Path = Path()

    @property
    def name(self) -> str:
        return self.inventory.lab

    def expand(self, places: Sequence[str]) -> list[str]:
        """Host names for a list of hosts and roles, in the inventory's order, each once."""
        wanted = set(places)
        return [
            name
            for name, host in self.inventory.hosts.items()
            if name in wanted or wanted & set(host.roles) or "all" in wanted
        ]

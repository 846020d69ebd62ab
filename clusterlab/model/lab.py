"""A lab: one inventory and the plays that stand on it, validated together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from clusterlab.secret_patterns import names_secret

from .inventory import Inventory
from .long_forms import Logging
from .playbook import Play

if TYPE_CHECKING:
    from clusterlab.stacks.load import Loaded


@dataclass(frozen=True)
class Lab:
    """What every verb works on.

    `plays` maps a play's name (the path below playbooks/ without .yml, as "volumes/nfs") to it, in the order they were
    asked for. `stacks` has what became of the stack files of those plays that have a `stack`, by the play's name; all
    are valid. `folder` is where relative paths of the inventory start: the folder that the inventory is in. `file`
    is the inventory itself; a lab that is recalled from its state has none.
    """

    inventory: Inventory
    plays: Mapping[str, Play] = field(default_factory=dict)
    folder: Path = Path()
    file: Path | None = None
    stacks: Mapping[str, Loaded] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.inventory.lab

    def expand(self, places: Sequence[str]) -> list[str]:
        """Host names for a list of hosts and groups, in the inventory's order, each once."""
        return self.inventory.expand(places)

    def environments(self) -> Iterator[tuple[str, object]]:
        """Every variable of every `environment` in the plays, wherever it stands.

        Name and value.
        """
        for play in self.plays.values():
            yield from _environments(play)

    def contents(self) -> Iterator[tuple[str, object]]:
        """What the configs and secrets of the plays hold: name and content."""
        for play in self.plays.values():
            for what, files in (("secret", play.secrets), ("config", play.configs)):
                yield from (
                    (f"{what} {name}", one.data.decode(errors="replace").strip()) for name, one in files.items()
                )

    def only(self, *plays: str) -> Lab:
        """The lab with some of its plays alone, and their stacks."""
        stacks = {name: one for name, one in self.stacks.items() if name in plays}
        return replace(self, plays={play: self.plays[play] for play in plays}, stacks=stacks)

    def names(self) -> Iterator[str]:
        """What the lab's things are called, and where its hosts are.

        What a report cannot do without.
        """
        yield self.name
        for name, host in self.inventory.hosts.items():
            yield from (name, str(host.address), *host.roles)
        yield from self.inventory.images
        for play_name, play in self.plays.items():
            yield from (play_name, *play_name.split("/"))
            for things in (play.disks, play.volumes, play.networks, play.containers, play.services):
                yield from things
            yield from (*play.configs, *play.secrets)
            yield from (name for _, name in play.external.names())
        for stack in (one.valid() for one in self.stacks.values()):
            yield stack.name
            keys = (*stack.services, *stack.networks, *stack.volumes, *stack.configs, *stack.secrets)
            yield from (name for key in keys for name in (key, stack.scoped(key)))


def _environments(value: object) -> Iterator[tuple[str, object]]:
    match value:
        case BaseModel():
            for name in type(value).model_fields:
                item = getattr(value, name)
                if name == "environment" and isinstance(item, dict):
                    yield from item.items()
                elif isinstance(item, Logging):
                    yield from ((key, one) for key, one in item.options.items() if names_secret(key))
                else:
                    yield from _environments(item)
        case dict():
            for item in value.values():
                yield from _environments(item)
        case list() | tuple():
            for item in value:
                yield from _environments(item)

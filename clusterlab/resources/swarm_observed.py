"""The lab's Swarm as observed, and who is asked about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clusterlab.model.swarm import Swarm as Settings
from clusterlab.resources.managers import Node
from clusterlab.resources.swarm_member import Member, at_work

ADOPT = "set `swarm: {adopt: true}` in the inventory"


@dataclass(frozen=True)
class Swarm:
    """The lab's Swarm as observed: who is asked, and what that manager knows.

    `nodes` is None when there is no Swarm yet, or when no manager could list them (`trouble`).
    """

    lab: str
    asked: Member
    members: tuple[Member, ...]
    nodes: Sequence[Node] | None = None
    trouble: str = ""
    settings: Settings = field(default_factory=Settings)
    cluster: Mapping[str, Any] = field(default_factory=dict)  # as the engine that is asked reports it; empty: none yet

    @property
    def ours(self) -> bool:
        """Whether clusterlab initialised it for this lab, or it is yet to be initialised."""
        return self.asked.made_for == self.lab or not self.asked.control

    @property
    def changeable(self) -> bool:
        return self.ours or self.settings.adopt


def reference(members: Sequence[Member], lab: str) -> Member:
    """Whose Swarm is the lab's.

    The managers at work, then those that do not answer, then the first one.
    """
    should_manage = [one for one in members if one.role == "manager"]
    silent = [one for one in should_manage if one.state == "unknown"]
    return (at_work(members, lab) or silent or should_manage)[0]

"""What a scenario is, and the registry of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.safety.stand import Stand

MANAGERS, CLUSTER, FOREIGN, OWN = "managers", "cluster", "foreign", "own"
"""Three managers; a manager and a worker; three hosts for a Swarm typed manually; none but what the code creates."""


@dataclass(frozen=True)
class Seen:
    """Whether what must not happen happened, and what was seen, in a few words."""

    harm: bool
    what: str


@dataclass(frozen=True)
class Scenario:
    """One thing that must not happen, and how it is provoked."""

    name: str
    must_not: str
    machines: str
    show: Callable[[Stand], Seen]


SCENARIOS: dict[str, Scenario] = {}
"""By name, from all modules that are imported."""


def scenario(machines: str, must_not: str) -> Callable[[Callable[[Stand], Seen]], Callable[[Stand], Seen]]:
    """Register a function; its name is that of the scenario."""

    def register(show: Callable[[Stand], Seen]) -> Callable[[Stand], Seen]:
        add(Scenario(show.__name__.replace("_", "-"), must_not, machines, show))
        return show

    return register


def add(one: Scenario) -> None:
    assert one.name not in SCENARIOS, one.name
    SCENARIOS[one.name] = one

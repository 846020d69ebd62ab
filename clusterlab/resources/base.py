"""Resources, how they differ from what is wanted, and the converging changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from clusterlab.redaction import clean, clean_value

LABEL_LAB = "org.clusterlab.lab"
LABEL_PLAY = "org.clusterlab.play"
LABEL_SPEC = "org.clusterlab.spec"

SWARM = "Swarm"
"""The `host` of what belongs to the Swarm as a whole; no host can have this name, for theirs are lower case."""


class Key(NamedTuple):
    """Which resource, where.

    What belongs to the Swarm is at SWARM, whichever manager leads it or is asked.
    """

    host: str
    kind: str  # the name of a ResourceKind: "package", "export", "image", "volume", "network", "container", ...
    name: str

    def __str__(self) -> str:
        return f"{self.host}: {self.kind} {self.name}"


HIDDEN = "(hidden)"
"""What a difference shows of a value that nobody may see, such as a variable of an environment."""


class Command(NamedTuple):
    """A command as a person types it, and on which host."""

    host: str
    text: str


@dataclass(frozen=True)
class Difference:
    """One option that is not as wanted.

    `wanted` and `found` are shown to people and written as JSON.

    Both are cleaned of secrets and control characters. A value that may not be shown at all is HIDDEN, or None when it
    is absent.
    """

    name: str
    wanted: object
    found: object

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean(self.name))
        object.__setattr__(self, "wanted", clean_value(self.wanted))
        object.__setattr__(self, "found", clean_value(self.found))

    def __str__(self) -> str:
        return f"{self.name}: " + (self.hidden or f"wanted {self.wanted!r}, found {self.found!r}")

    @property
    def hidden(self) -> str:
        """All that may be said of a hidden value; empty for one that is shown."""
        if HIDDEN not in (self.wanted, self.found):
            return ""
        if self.found is None:
            return "is not set"
        return "is set, and should not be" if self.wanted is None else "differs"


@dataclass(frozen=True)
class Change:
    """One step that converges one resource.

    `reason` is one line for people. `command` has the effect of the change and no more; it is typed on `where` (when
    that is empty, on the host of the key), after the commands `first`, which are for other hosts. `carry_out` does it,
    and returns only when it is done, or raises ClusterlabError; what it returns is what a person should know of how it
    went, such as that it had to be repeated. `blocked` is not empty when the change must not be
    made: it would lose data and was not allowed (`flag` names the option that allows it), or the object is not ours.
    `takes` are resources that the change removes and that are recreated by changes of their own. `rest` is what a
    person has to know once the change is made, such as what it leaves where clusterlab no longer looks. `weight` is how
    long it takes beside other changes, roughly: what is waited for longest begins first.
    """

    key: Key
    action: str  # "create", "update", "replace", "start", "remove", ...
    reason: str
    command: str
    # Specs with contents of secrets may be among what it is bound to.
    carry_out: Callable[[], str | None] = field(repr=False)
    differences: tuple[Difference, ...] = ()
    needs: frozenset[Key] = frozenset()  # resources whose changes come first
    blocked: str = ""
    flag: str = ""
    where: str = ""
    first: tuple[Command, ...] = ()
    takes: frozenset[Key] = frozenset()
    rest: str = ""
    weight: int = 1

    @property
    def commands(self) -> tuple[Command, ...]:
        """All that a person types to do the same, in order."""
        return (*self.first, Command(self.where or self.key.host, self.command))

    def __post_init__(self) -> None:
        """Labels and names that hosts report end up in these.

        `command` stays as a person has to type it.
        """
        object.__setattr__(self, "reason", clean(self.reason))
        object.__setattr__(self, "blocked", clean(self.blocked))
        object.__setattr__(self, "rest", clean(self.rest))


@dataclass(frozen=True)
class Skipped:
    """A resource that is left out because these machines cannot have it, and why.

    What is left out follows from the lab and the missing capabilities alone, so functions of its own report it
    (`clusterlab.plan.apply.left_out`), next to those that plan changes.
    """

    key: Key
    reason: str

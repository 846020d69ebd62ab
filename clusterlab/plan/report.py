"""What became of a plan."""

from __future__ import annotations

from dataclasses import dataclass, field

from clusterlab.errors import ClusterlabError
from clusterlab.resources.base import Change, Key

CONTINUE = "Run the same command again: it inspects the hosts again and goes on from here."


@dataclass(frozen=True)
class Done:
    """A change that was made."""

    change: Change
    seconds: float


@dataclass(frozen=True)
class Failed:
    """A change that could not be made."""

    change: Change
    error: ClusterlabError


@dataclass(frozen=True)
class Skipped:
    """A change that was not tried, because what it needs was not made; `because` names where that began."""

    change: Change
    because: tuple[Key, ...]


@dataclass
class Report:
    """Every change of a plan, by what became of it.

    After an interrupt, `unfinished` holds the changes that were under way and did not end in time, and
    `waiting` those that were not begun.
    """

    done: list[Done] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    blocked: list[Change] = field(default_factory=list)
    interrupted: bool = False
    unfinished: list[Change] = field(default_factory=list)
    waiting: list[Change] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every change was made."""
        return not (self.failed or self.skipped or self.blocked or self.interrupted)

    def next_steps(self) -> list[str]:
        """What a person can do about what was not made, each piece of advice once; empty when all was."""
        steps = [f"{one.change.key}: {one.error.remedy}" for one in self.failed if one.error.remedy]
        for flag in dict.fromkeys(change.flag for change in self.blocked if change.flag):
            kept = ", ".join(str(change.key) for change in self.blocked if change.flag == flag)
            steps.append(f"If you accept what it loses, run again with {flag} ({kept})")
        if self.failed or self.interrupted:
            steps.append(CONTINUE)
        return list(dict.fromkeys(steps))

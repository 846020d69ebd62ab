"""The results of a plan's changes."""

from __future__ import annotations

from dataclasses import dataclass, field

from clusterlab.errors import ClusterlabError
from clusterlab.resources.base import Change, Key

CONTINUE = "Run the same command again: it inspects the hosts and continues with what remains."


@dataclass(frozen=True)
class Done:
    """A change that was carried out.

    `note` is what a person should know of how it went.
    """

    change: Change
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class Failed:
    """A change that failed."""

    change: Change
    error: ClusterlabError


@dataclass(frozen=True)
class Skipped:
    """A change that was not attempted because of `because`.

    These are changes that it needs, which failed or were blocked.
    """

    change: Change
    because: tuple[Key, ...]


@dataclass
class Report:
    """Every change of a plan, by its result.

    After an interrupt, `unfinished` are the changes that were running and did not end in time, and `waiting` those
    that had not started.
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
        """Whether every change was carried out."""
        return not (self.failed or self.skipped or self.blocked or self.interrupted)

    def notes(self) -> list[str]:
        """What a person should know of how changes went that were carried out."""
        return [f"{one.change.key}: {one.note}" for one in self.done if one.note]

    def next_steps(self) -> list[str]:
        """What to do about changes that were not carried out, each remedy once.

        Empty when there are none.
        """
        steps = [f"{one.change.key}: {one.error.remedy}" for one in self.failed if one.error.remedy]
        for flag in dict.fromkeys(change.flag for change in self.blocked if change.flag):
            losing = ", ".join(str(change.key) for change in self.blocked if change.flag == flag)
            steps.append(f"To accept the loss of data, run again with {flag} ({losing})")
        if self.failed or self.interrupted:
            steps.append(CONTINUE)
        return list(dict.fromkeys(steps))

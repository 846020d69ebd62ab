"""Waivers: failures that a person accepts for a time.

They are in a file next to the inventory.

    waivers:
      - play: volumes/nfs
        check: df in the containers shows the share
        reason: the NAS is being replaced
        who: ada
        until: 2026-12-31

On the day after `until` the check fails again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pydantic import Field

from clusterlab.checks.swarm_managers import SWARM_PLAY, stated_managers, statement
from clusterlab.drills.plan import titles
from clusterlab.model import Lab
from clusterlab.model.base import Issue, Model
from clusterlab.model.problems import near_misses
from clusterlab.model.reserved import shown
from clusterlab.model.side_files import beside, load_beside
from clusterlab.nightly.compare import FAILING
from clusterlab.nightly.hosts import host_answers
from clusterlab.nightly.nightly_run import OWN_PLAY
from clusterlab.nightly.second_apply import SECOND_APPLY
from clusterlab.results import Outcome, Result


class Waiver(Model):
    """One check that may fail until a day, that day included."""

    play: str = Field(min_length=1)
    check: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    who: str = Field(min_length=1)
    until: str

    def issues(self) -> Iterator[Issue]:
        try:
            date.fromisoformat(self.until)
        except ValueError:
            yield Issue(("until",), f"'{self.until}' is not a day", "Write it as 2026-12-31.")

    @property
    def last_day(self) -> date:
        return date.fromisoformat(self.until)


class WaiverFile(Model):
    waivers: list[Waiver] = Field(default_factory=list)

    def issues(self) -> Iterator[Issue]:
        seen: set[tuple[str, str]] = set()
        for index, waiver in enumerate(self.waivers):
            if (waiver.play, waiver.check) in seen:
                yield Issue(("waivers", index), "this check is waived twice", "Keep one of the two.")
            seen.add((waiver.play, waiver.check))


@dataclass(frozen=True)
class Waived:
    """The results with waivers applied, and notes about the waivers."""

    results: list[Result]
    notes: list[str]


def waiver_file(inventory: Path) -> Path:
    """The file with the waivers of an inventory."""
    return beside(inventory, "waivers")


def load_waivers(path: Path) -> list[Waiver]:
    """The waivers of a file, none when there is no such file.

    Raises InvalidFiles with all that is wrong in it.
    """
    return load_beside(path, WaiverFile).waivers


def apply_waivers(results: Sequence[Result], waivers: Sequence[Waiver], today: date) -> Waived:
    """Turn failures that are waived on `today` into WAIVED; the evidence stays."""
    by_check = {(waiver.play, waiver.check): waiver for waiver in waivers}
    notes: list[str] = []
    made = []
    for result in results:
        waiver = by_check.get((result.play, result.check))
        made.append(_waived(result, waiver, today, notes) if waiver else result)
    return Waived(made, notes)


def _waived(result: Result, waiver: Waiver, today: date, notes: list[str]) -> Result:
    terms = f"waived by {waiver.who} until {waiver.until}: {waiver.reason}"
    name = f"{result.play}: {result.check}"
    if result.outcome not in FAILING:
        if result.outcome in (Outcome.PASS, Outcome.FLAKY):
            notes.append(f"{name} passes although it is waived ({terms}): remove the waiver")
        return result
    if today > waiver.last_day:
        notes.append(f"{name} fails, and its waiver has ended: {terms}")
        ended = f"its waiver has ended ({terms})"
        return replace(result, hint=f"{ended}. {result.hint}" if result.hint else ended)
    return replace(result, outcome=Outcome.WAIVED, hint=terms)


def unknown_waivers(waivers: Sequence[Waiver], lab: Lab, plays: Collection[str]) -> list[str]:
    """Notes on waivers of checks that do not exist. `plays` are all that there are.

    The lab may have some alone.
    """
    known: dict[str, list[str]] = {}
    for name, play in lab.plays.items():
        known.setdefault(shown(name), []).extend(check.title for check in play.checks)
        known[shown(name)] += titles(lab, name)
    known[OWN_PLAY] = [*map(host_answers, lab.inventory.hosts), SECOND_APPLY]
    known[SWARM_PLAY] = list(map(statement, stated_managers(lab)))
    notes = []
    for waiver in waivers:
        if waiver.play not in known and waiver.play not in plays:
            near = _near(waiver.play, [*plays, *known])
            notes.append(f"a waiver is for the play {waiver.play}, which does not exist{near}")
        elif waiver.check not in known.get(waiver.play, [waiver.check]):
            near = _near(waiver.check, known[waiver.play])
            notes.append(f"a waiver is for '{waiver.check}' of {waiver.play}, which has no such check{near}")
    return notes


def _near(name: str, known: list[str]) -> str:
    near = near_misses(name, known)
    return f"; did you mean '{near[0]}'?" if near else ""

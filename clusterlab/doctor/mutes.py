"""Mutes: findings that a person accepts for a time.

They are in a file next to the inventory.

    mutes:
      - code: CL202
        subject: swarm
        severity: warning
        reason: the third manager is ordered
        who: ada
        until: 2026-12-31

A mute ends on the day after `until`, and as soon as the finding is worse than `severity`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import Field

from clusterlab.model.base import Issue, Model
from clusterlab.model.problems import suggest
from clusterlab.model.side_files import beside, load_beside

from .codes import DIAGNOSES
from .finding import Finding, Severity

_ORDER = list(Severity)


class Mute(Model):
    """One finding that is accepted until a day, that day included."""

    code: str
    subject: str = Field(min_length=1)
    severity: str = Field(description="the worst severity that is accepted")
    reason: str = Field(min_length=1)
    who: str = Field(min_length=1)
    until: str

    def issues(self) -> Iterator[Issue]:
        if self.code not in DIAGNOSES:
            yield Issue(("code",), f"unknown code '{self.code}'", suggest(self.code, DIAGNOSES, "Codes"))
        if self.severity not in list(Severity):
            yield Issue(("severity",), f"unknown severity '{self.severity}'", "Write error, warning or advice.")
        try:
            date.fromisoformat(self.until)
        except ValueError:
            yield Issue(("until",), f"'{self.until}' is not a day", "Write it as 2026-12-31.")

    def covers(self, finding: Finding) -> bool:
        """Whether it is about this finding, whatever the day and the severity."""
        return (self.code, self.subject) == (finding.code, finding.subject)

    def __str__(self) -> str:
        return f"{self.code} {self.subject} until {self.until}, by {self.who}: {self.reason}"


class MuteFile(Model):
    mutes: list[Mute] = Field(default_factory=list)


@dataclass(frozen=True)
class Muted:
    """The findings that count, the muted ones with their mutes, and notes on mutes."""

    findings: tuple[Finding, ...]
    muted: tuple[tuple[Finding, Mute], ...]
    notes: tuple[str, ...]


def mute_file(inventory: Path) -> Path:
    """The file with the mutes of an inventory."""
    return beside(inventory, "mutes")


def load_mutes(path: Path) -> list[Mute]:
    """The mutes of a file, none when there is no such file.

    Raises InvalidFiles with all that is wrong in it.
    """
    return load_beside(path, MuteFile).mutes


def apply_mutes(findings: Sequence[Finding], mutes: Sequence[Mute], today: date) -> Muted:
    """Take away what is muted on `today`, unless it became worse."""
    left, muted, notes = list[Finding](), list[tuple[Finding, Mute]](), list[str]()
    for finding in findings:
        mute = next((one for one in mutes if one.covers(finding)), None)
        if mute is None:
            left.append(finding)
        elif today > date.fromisoformat(mute.until):
            notes.append(f"the mute of {mute} has ended")
            left.append(finding)
        elif _ORDER.index(finding.severity) < _ORDER.index(Severity(mute.severity)):
            notes.append(f"{finding.key} is now of severity {finding.severity}: the mute of {mute} does not count")
            left.append(finding)
        else:
            muted.append((finding, mute))
    notes += [f"{one} mutes nothing: remove it" for one in mutes if not any(one.covers(found) for found in findings)]
    return Muted(tuple(left), tuple(muted), tuple(notes))

"""What a diagnosis reports.

Findings with their evidence, and what could not be seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from clusterlab.redaction import clean


class Severity(StrEnum):
    """How bad a finding is, worst first."""

    ERROR = "error"  # broken now, or at the next restart
    WARNING = "warning"  # breaks at a foreseeable event
    ADVICE = "advice"


class NotSeen(Exception):
    """A fact that a diagnosis needs could not be read.

    `reason` says why, `remedy` how to make it readable.
    """

    def __init__(self, subject: str, reason: str, remedy: str = "") -> None:
        super().__init__(f"{subject}: {reason}")
        self.subject = clean(subject)
        self.reason = clean(reason)
        self.remedy = clean(remedy)


@dataclass(frozen=True)
class Seen:
    """One piece of evidence.

    What was run on a host, what was expected, and what was found.
    """

    host: str
    asked: str
    wanted: str
    found: str

    def __post_init__(self) -> None:
        for name in ("host", "asked", "wanted", "found"):
            object.__setattr__(self, name, clean(getattr(self, name)))


@dataclass(frozen=True)
class Fix:
    """A command for a person to run on a host; with an empty host, a sentence."""

    host: str
    run: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "run", clean(self.run))


@dataclass(frozen=True)
class Finding:
    """Something that is wrong: one cause, on one subject."""

    code: str
    severity: Severity
    subject: str  # the host, volume, service ... that it is about
    cause: str  # one line
    evidence: tuple[Seen, ...] = ()
    fix: tuple[Fix, ...] = ()
    hosts: tuple[str, ...] = ()  # those that it is about
    consequences: tuple[str, ...] = ()  # codes that this explains where they concern the same hosts
    explains: tuple[str, ...] = ()  # keys of the findings that were folded into this one

    def __post_init__(self) -> None:
        for name in ("subject", "cause"):
            object.__setattr__(self, name, clean(getattr(self, name)))

    @property
    def key(self) -> str:
        """Stable name of this finding, for mutes and comparisons."""
        return f"{self.code}:{self.subject}"


@dataclass(frozen=True)
class Unknown:
    """A code that could not be evaluated for a subject."""

    code: str
    subject: str
    reason: str
    remedy: str = ""

    @property
    def key(self) -> str:
        return f"{self.code}:{self.subject}"


@dataclass(frozen=True)
class Diagnosed:
    """Everything that the diagnoses reported."""

    findings: tuple[Finding, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    codes: tuple[str, ...] = field(default=())  # that were evaluated, or tried

    @property
    def healthy(self) -> bool:
        """Whether nothing is broken and every code was evaluated everywhere."""
        return not self.unknown and not any(one.severity is Severity.ERROR for one in self.findings)


def listed(names: Iterable[str]) -> str:
    """Names in a sentence: "a", "a and b", "a, b and c"."""
    *rest, last = sorted(set(names)) or [""]
    return f"{', '.join(rest)} and {last}" if rest else last

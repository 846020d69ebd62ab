"""What one probe found at one place, before a result is made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from clusterlab.errors import ClusterlabError
from clusterlab.parallel import parallel
from clusterlab.results import Evidence, Outcome, worst

from .place import Place, ProbeError, WrongAnswer


@dataclass(frozen=True)
class Finding:
    """The evidence, and what follows from it: PASS, FAIL or ERROR."""

    outcome: Outcome
    evidence: Evidence
    hint: str = ""


def finding(
    place: Place | str, command: str, *, holds: bool, wanted: str, found: str, output: str = "", hint: str = ""
) -> Finding:
    """The lab answered: as wanted when `holds`; the hint is kept for the case that it did not."""
    evidence = Evidence(str(place), command, wanted, found, output, holds)
    return Finding(Outcome.PASS if holds else Outcome.FAIL, evidence, "" if holds else hint)


def unasked(place: Place | str, wanted: str, error: ClusterlabError) -> Finding:
    """The probe got no answer that counts. A place that the lab should have and has not is a wrong answer: FAIL."""
    outcome = Outcome.FAIL if isinstance(error, WrongAnswer) else Outcome.ERROR
    command = error.command if isinstance(error, ProbeError) else ""
    return Finding(
        outcome, Evidence(str(place), command, wanted, error.message, error.detail, holds=False), error.remedy
    )


def ask_each(places: Sequence[Place], wanted: str, ask: Callable[[Place], Finding]) -> list[Finding]:
    """Ask at every place, at the same time; what a place cannot answer becomes a finding, and hides no other."""

    answers = parallel(ask, places, name="probe")
    return [
        unasked(place, wanted, answer) if isinstance(answer, ClusterlabError) else answer
        for place, answer in zip(places, answers, strict=True)
    ]


def outcome_of(findings: Iterable[Finding]) -> Outcome:
    """The most severe outcome; ERROR when nothing was asked, for then nothing is proven."""
    outcomes = [item.outcome for item in findings]
    return worst(outcomes) if outcomes else Outcome.ERROR

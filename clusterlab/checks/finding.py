"""What one probe found at one place, before a result is made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from clusterlab.errors import ClusterlabError
from clusterlab.results import Evidence, Outcome, worst

from .place import Place, ProbeError, WrongAnswer

_AT_ONCE = 8  # places of one probe that are asked at the same time


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

    def one(place: Place) -> Finding:
        try:
            return ask(place)
        except ClusterlabError as error:
            return unasked(place, wanted, error)

    if len(places) < 2:
        return [one(place) for place in places]
    with ThreadPoolExecutor(min(len(places), _AT_ONCE), thread_name_prefix="probe") as pool:
        return list(pool.map(one, places))


def outcome_of(findings: Iterable[Finding]) -> Outcome:
    """The most severe outcome; ERROR when nothing was asked, for then nothing is proven."""
    outcomes = [item.outcome for item in findings]
    return worst(outcomes) if outcomes else Outcome.ERROR

"""What one probe found at one place, before a result is made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from clusterlab.errors import ClusterlabError
from clusterlab.parallel import parallel
from clusterlab.redaction import clean
from clusterlab.results import Evidence, Link, Outcome, worst

from .place import Place, ProbeError, WrongAnswer

_SHOWN = 300  # characters of a line in a sentence; the whole of it is in the output


@dataclass(frozen=True)
class Finding:
    """The evidence, and what follows from it: PASS, FAIL, ERROR or UNSUPPORTED."""

    outcome: Outcome
    evidence: Evidence
    hint: str = ""
    settled: bool = False  # what does not hold will not by waiting


def finding(
    place: Place | str,
    command: str,
    *,
    holds: bool,
    wanted: str,
    found: str,
    output: str = "",
    hint: str = "",
    links: Sequence[Link] = (),
) -> Finding:
    """The lab answered: as wanted when `holds`.

    The hint is kept for the case that it did not.
    """
    evidence = Evidence(str(place), command, wanted, found, output, holds, links=tuple(links))
    return Finding(Outcome.PASS if holds else Outcome.FAIL, evidence, "" if holds else hint)


def said(output: str) -> list[str]:
    """The last line that a command printed, as a part of a sentence.

    Where tools write why they failed.
    """
    lines = clean(output).strip().splitlines()  # whole, before it is cut: a part of a secret would not be found
    return [f"which printed {lines[-1].strip()[:_SHOWN]!r}"] if lines else []


def unasked(place: Place | str, wanted: str, error: ClusterlabError, links: Sequence[Link] = ()) -> Finding:
    """The probe got no answer that counts.

    A place that the lab should have and has not is a wrong answer: FAIL.
    """
    outcome = Outcome.FAIL if isinstance(error, WrongAnswer) else Outcome.ERROR
    command = error.command if isinstance(error, ProbeError) else ""
    links = [replace(link, seen=None, found=error.message) for link in links]
    evidence = Evidence(str(place), command, wanted, error.message, error.detail, holds=False, links=tuple(links))
    return Finding(outcome, evidence, error.remedy)


def nothing_to_probe(
    place: Place | str, command: str, *, wanted: str, found: str, output: str = "", settled: bool = False
) -> Finding:
    """The lab has nothing of which the statement could be true or false: UNSUPPORTED, never a pass.

    `found` is the reason. `settled` when waiting will not change that.
    """
    return Finding(Outcome.UNSUPPORTED, Evidence(str(place), command, wanted, found, output, False), found, settled)


def no_links(place: Place) -> Sequence[Link]:
    """The links of a probe that does not show who reaches whom."""
    return ()


def ask_each(
    places: Sequence[Place],
    wanted: str,
    ask: Callable[[Place], Finding],
    links: Callable[[Place], Sequence[Link]] = no_links,
) -> list[Finding]:
    """Ask at every place, at the same time.

    What a place cannot answer becomes a finding, and hides no other.

    `links` are those that such a finding leaves unknown.
    """
    answers = parallel(ask, places, name="probe")
    return [
        unasked(place, wanted, answer, links(place)) if isinstance(answer, ClusterlabError) else answer
        for place, answer in zip(places, answers, strict=True)
    ]


def outcome_of(findings: Iterable[Finding]) -> Outcome:
    """The most severe outcome.

    ERROR when nothing was asked, for then nothing is proven.
    """
    outcomes = [item.outcome for item in findings]
    return worst(outcomes) if outcomes else Outcome.ERROR

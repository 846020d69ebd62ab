"""What a list of results comes to.

One verdict, one exit code, what was proven, and what kept the rest from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from clusterlab.results import Cause, Outcome, Result

_VERDICT_ORDER = (Outcome.FAIL, Outcome.BLOCKED, Outcome.ERROR, Outcome.NOT_RUN, Outcome.FLAKY)
_WORDS = {
    Outcome.FLAKY: "flaky",
    Outcome.FAIL: "failed",
    Outcome.ERROR: "could not be checked",
    Outcome.BLOCKED: "blocked",
    Outcome.UNSUPPORTED: "unsupported",
    Outcome.WAIVED: "waived",
    Outcome.NOT_RUN: "not run",
}
_PROVEN = (Outcome.PASS, Outcome.FLAKY)
_REASONS = 2  # of what is unsupported that are named in one line


def verdict(results: Sequence[Result], strict: bool = False) -> Outcome:
    """FAIL if any failed, else BLOCKED, ERROR, NOT_RUN, FLAKY if any was, else PASS.

    UNSUPPORTED when no statement of a play was proven, and with `strict` when any statement was unsupported, but for
    those that strict runs accept (`Result.fails_strict`).
    """
    seen = Counter(result.outcome for result in results)
    proven = any(result.outcome in _PROVEN for result in results if not result.own)
    for outcome in _VERDICT_ORDER[:-1]:
        if seen[outcome]:
            return outcome
    if (strict and any(result.fails_strict for result in results)) or not proven:
        return Outcome.UNSUPPORTED
    return Outcome.FLAKY if seen[Outcome.FLAKY] else Outcome.PASS


def exit_code(results: Sequence[Result], strict: bool = False) -> int:
    """0 all proven, 1 a statement is not, 3 something or everything is unchecked.

    Not proven is failed, blocked, or with `strict` unsupported.
    """
    outcome = verdict(results, strict)
    if outcome in (Outcome.PASS, Outcome.FLAKY):
        return 0
    if outcome in (Outcome.FAIL, Outcome.BLOCKED) or (outcome is Outcome.UNSUPPORTED and strict and results):
        return 1
    return 3


def proven(results: Sequence[Result]) -> str:
    """One line: "18 of 20 statements proven, 2 unsupported (nfs: no kernel module)".

    It counts what the plays state. What clusterlab states of every lab is named when it does not pass.
    """
    stated = [result for result in results if not result.own]
    number = sum(result.outcome in _PROVEN for result in stated)
    statements = "statement" if len(stated) == 1 else "statements"
    first = f"{number} of {len(stated)} {statements} proven" if stated else "no statement of a play was checked"
    if number == len(stated) > 1:
        first = f"all {number} {statements} proven"
    own = ", ".join(_others([result for result in results if result.own]))
    return ", ".join([first, *_others(stated)]) + (f"; of clusterlab's own statements, {own}" if own else "")


def _others(results: Sequence[Result]) -> list[str]:
    """How many did not simply pass, for each outcome."""
    seen = Counter(result.outcome for result in results)
    return [f"{seen[outcome]} {word}{_reasons(results, outcome)}" for outcome, word in _WORDS.items() if seen[outcome]]


def _reasons(results: Sequence[Result], outcome: Outcome) -> str:
    """What keeps statements from being proven, where it is common to several."""
    if outcome is Outcome.UNSUPPORTED:
        named = [
            result.cause.summary if result.cause else result.hint for result in results if result.outcome is outcome
        ]
    elif outcome is Outcome.BLOCKED:
        named = [f"{cause.subject}: {cause.summary}" for cause in blocking(results)]
    else:
        return ""
    distinct = list(dict.fromkeys(filter(None, named)))
    more = f" and {len(distinct) - _REASONS} more" if len(distinct) > _REASONS else ""
    return f" ({'; '.join(distinct[:_REASONS])}{more})" if distinct else ""


def blocking(results: Sequence[Result]) -> dict[Cause, list[Result]]:
    """Every failed precondition with the statements that it blocks, each cause once."""
    found: dict[Cause, list[Result]] = {}
    for result in results:
        if result.outcome is Outcome.BLOCKED and result.cause:
            found.setdefault(result.cause, []).append(result)
    return found

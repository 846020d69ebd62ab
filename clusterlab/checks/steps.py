"""steps: several probes in order, with actions between them.

Actions are undone at the end, and commands tidy up.
"""

from __future__ import annotations

from threading import Event

from clusterlab.errors import ClusterlabError
from clusterlab.model.checks import Check, Step
from clusterlab.results import Outcome, worst

from .actions import Actions
from .attempts import Asked, Interrupted, Why, settle
from .finding import Finding, unasked
from .kinds import KINDS
from .places import Places


def ask(check: Check, places: Places, interrupted: Event, why: Why) -> Asked:
    """Take the steps in order until one fails.

    However it ends, what actions changed is restored, and the commands of `finally` are run.

    The check's `within` is for each step that has none of its own; `why` is as for `settle`. What could not be restored
    makes it an error, whatever else was found. Raises Interrupted, whose detail says what could not be restored.
    """
    asked: list[Asked] = []
    actions = Actions(places)
    stopped: ClusterlabError | None = None
    try:
        for step in check.steps:
            asked.append(_take(step, check.within, places, actions, interrupted, why))
            if asked[-1].outcome not in (Outcome.PASS, Outcome.FLAKY):
                break
    except ClusterlabError as error:
        stopped = error
    except BaseException as defect:
        unrestored, _ = actions.restore(), _tidied_up(check, places)
        if unrestored:
            defect.add_note(f"not restored: {_in_words(unrestored)}")
        raise
    unrestored, untidy = actions.restore(), _tidied_up(check, places)
    if isinstance(stopped, Interrupted):
        raise Interrupted(stopped.message, detail=_in_words(unrestored)) from stopped
    if stopped is not None:
        asked.append(Asked(Outcome.ERROR, (unasked("", check.title, stopped),), 1))
    if unrestored:
        found = [finding for item in asked for finding in item.findings]
        return Asked(Outcome.ERROR, (*found, *unrestored, *untidy), max((item.attempts for item in asked), default=1))
    if untidy:  # after a step that failed, that was to be expected
        held = all(item.outcome in (Outcome.PASS, Outcome.FLAKY) for item in asked)
        asked.append(Asked(Outcome.ERROR if held else asked[-1].outcome, tuple(untidy), 1))
    return Asked(
        worst(item.outcome for item in asked),
        tuple(finding for item in asked for finding in item.findings),
        max(item.attempts for item in asked),
        next((item.cause for item in asked if item.cause), None),
    )


def _in_words(unrestored: list[Finding]) -> str:
    return "; ".join(f"{item.evidence.found} (wanted: {item.evidence.wanted})" for item in unrestored)


def _take(step: Step, within: float | None, places: Places, actions: Actions, interrupted: Event, why: Why) -> Asked:
    if step.do is None:
        probe = step.probe
        wait = within if step.within is None else step.within
        return settle(lambda: KINDS[step.kind].ask(probe, places), interrupted, wait, why=why)
    if interrupted.is_set():
        raise Interrupted("interrupted")
    done = actions.act(step.do)
    return Asked(done.outcome, (done,), 1)


def _tidied_up(check: Check, places: Places) -> list[Finding]:
    """Run all commands of `finally`; the findings of those that did not succeed."""
    findings: list[Finding] = []
    for probe in check.finally_:
        try:
            findings += KINDS["command"].ask(probe, places)
        except ClusterlabError as error:
            findings.append(unasked("", "the commands of finally succeed", error))
    return [item for item in findings if item.outcome is not Outcome.PASS]

"""What differs between two runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from clusterlab.nightly.nightly_run import OWN_PLAY, Changes, CheckId, NightlyRun
from clusterlab.results import Outcome, Result

FAILING = (Outcome.FAIL, Outcome.ERROR, Outcome.BLOCKED)
HOLDING = (Outcome.PASS, Outcome.FLAKY)

FLAKY = Outcome.FLAKY

Outcomes = Mapping[CheckId, Outcome]


def outcomes_of(results: list[Result]) -> dict[CheckId, Outcome]:
    """The outcome of each check."""
    return {CheckId(result.play, result.check): result.outcome for result in results}


def compare(before: Outcomes, now: Outcomes, against: str, started: datetime) -> Changes:
    """How `now` differs from `before`, the outcomes of an earlier run.

    That is the run `against`, which began at `started`.

    A check that did not exist before is a new failure when it fails, and else has appeared. One of a play that is
    not in `now` is not gone: a run may be of some plays alone.
    """

    def those(was: tuple[Outcome, ...], is_now: tuple[Outcome, ...]) -> list[CheckId]:
        return [check for check, outcome in now.items() if outcome in is_now and before.get(check) in was]

    plays = {check.play for check in now} - {OWN_PLAY}
    return Changes(
        against=against,
        against_started=started,
        newly_failing=[id for id, outcome in now.items() if outcome in FAILING and before.get(id) not in FAILING],
        newly_passing=those(FAILING, HOLDING),
        newly_flaky=[
            id for id, outcome in now.items() if outcome is Outcome.FLAKY and before.get(id) is not Outcome.FLAKY
        ],
        still_failing=those(FAILING, FAILING),
        appeared=[id for id, outcome in now.items() if id not in before and outcome not in FAILING],
        gone=[id for id in before if id not in now and id.play in plays],
    )


def compare_runs(before: NightlyRun, now: NightlyRun) -> Changes:
    """The same for two runs that were kept."""
    return compare(outcomes_of(before.results), outcomes_of(now.results), before.run, before.started)

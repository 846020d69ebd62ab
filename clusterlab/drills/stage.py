"""All drills of a command, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clusterlab.faults import Scene
from clusterlab.faults.record import recorded
from clusterlab.pipeline.session import Session
from clusterlab.results import Evidence, Outcome, Result

from .plan import DrillPlan
from .run import Drilled, DrillInterrupted, run_drill


def run_drills(
    session: Session, plans: Sequence[DrillPlan], seed: int | None, on_result: Callable[[Drilled], None]
) -> None:
    """Carry out one drill after the other.

    None is begun while a fault of an earlier one remains.

    An interrupt is raised once the drill under way is healed, and after the results of all: what that drill had seen,
    and that the others were not run.
    """
    scene = Scene(session.lab, session.hosts, session.progress, seed)
    for index, plan in enumerate(plans):
        remaining = recorded(session.lab.name)
        try:
            on_result(_not_run(plan, len(remaining)) if remaining else run_drill(scene, plan))
        except DrillInterrupted as interrupt:
            on_result(interrupt.drilled)
            for other in plans[index + 1 :]:
                hint = "interrupted before it began"
                on_result(Drilled(other, Result(other.play, other.title, "drill", Outcome.NOT_RUN, 0, hint=hint)))
            raise


def _not_run(plan: DrillPlan, remaining: int) -> Drilled:
    found = f"not run: {remaining} fault{'s' if remaining > 1 else ''} of earlier commands remain on the lab"
    evidence = Evidence("", "", "no fault is in effect", found, holds=False)
    hint = "`clusterlab heal` heals them."
    return Drilled(plan, Result(plan.play, plan.title, "drill", Outcome.ERROR, 0, evidence=(evidence,), hint=hint))

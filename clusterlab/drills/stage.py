"""All drills of a command, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clusterlab.faults import Scene
from clusterlab.faults.record import recorded
from clusterlab.pipeline.session import Session
from clusterlab.results import Evidence, Outcome, Result

from .plan import DrillPlan
from .run import run_drill


def run_drills(
    session: Session, plans: Sequence[DrillPlan], seed: int | None, on_result: Callable[[Result], None]
) -> list[Result]:
    """Carry out one drill after the other.

    None is begun while a fault of an earlier one remains.
    """
    scene = Scene(session.lab, session.hosts, session.progress, seed)
    results = []
    for plan in plans:
        remaining = recorded(session.lab.name)
        result = _not_run(plan, len(remaining)) if remaining else run_drill(scene, plan)
        results.append(result)
        on_result(result)
    return results


def _not_run(plan: DrillPlan, remaining: int) -> Result:
    found = f"not run: {remaining} fault{'s' if remaining > 1 else ''} of earlier commands remain on the lab"
    evidence = Evidence("", "", "no fault is in effect", found, holds=False)
    return Result(
        plan.play, plan.title, "drill", Outcome.ERROR, 0, evidence=(evidence,), hint="`clusterlab heal` heals them."
    )

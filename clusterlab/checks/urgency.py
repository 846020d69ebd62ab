"""In which order checks begin that could begin now.

Those with the longest chain of others behind them first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clusterlab.chains import chain_lengths
from clusterlab.model.actions import Action
from clusterlab.model.checks import Check

from .kinds import KINDS

if TYPE_CHECKING:
    from .runner import Job

_SWARM_ACTION = 10.0  # the Swarm ends tasks and starts others, before the check goes on and once more at its end
_CONTAINER_ACTION = 3.0


def by_urgency(jobs: Sequence[Job]) -> list[Job]:
    """The jobs, those with the longest chains behind them first.

    Those that conflict keep their order.
    """
    followers = {job: [later for later in jobs[index + 1 :] if job.conflicts(later)] for index, job in enumerate(jobs)}
    lengths = chain_lengths(followers, lambda job: effort(job.check))
    return sorted(jobs, key=lambda job: -lengths[job])


def effort(check: Check) -> float:
    """How long a check takes beside others, roughly."""
    actions = sum(_action(step.do) for step in check.steps if step.do is not None)
    return actions + sum(KINDS[kind].effort for _, kind, _ in check.probes()) + 0.1


def _action(action: Action) -> float:
    return _CONTAINER_ACTION if action.container else _SWARM_ACTION

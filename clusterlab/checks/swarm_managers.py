"""The statement that a manager of the Swarm is at work, where there are several.

One that is down fails no other check.

Whatever is asked of the Swarm is asked of another manager then, so without a statement of its own nobody would know.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from threading import Event

from clusterlab.model import Lab
from clusterlab.results import Evidence, Outcome, Result

from .dependencies import Dependencies
from .guard import CheckGuard, Guard
from .preconditions import InSwarm, ManagerAnswers, ManagerAtWork, NodeAvailable, ServiceRuns

SWARM_PLAY = "Swarm"
"""What stands for the play of these statements in reports."""
_KIND = "manager"
_COMMAND = "docker node ls"
_OF_THE_SWARM = (InSwarm, ManagerAnswers, NodeAvailable, ServiceRuns)


def statement(host: str) -> str:
    """The title of the statement about one manager."""
    return f"{host} manages the Swarm"


def stated_managers(lab: Lab) -> list[str]:
    """The managers that statements are made about.

    None where there is only one, on which all checks depend anyway.
    """
    managers = lab.inventory.with_role("swarm_manager")
    return managers if len(managers) > 1 else []


def check_managers(lab: Lab, needs: Iterable[Dependencies], guard: Guard, interrupted: Event) -> Iterator[Result]:
    """A result for each manager when a check depends on the Swarm.

    One that is not at work is BLOCKED.
    """
    if not any(isinstance(one, _OF_THE_SWARM) for need in needs for one in (*need.before, *need.during)):
        return
    for host in stated_managers(lab):
        yield _judged(host, guard, interrupted)


def _judged(host: str, guard: Guard, interrupted: Event) -> Result:
    began = time.monotonic()
    cause = CheckGuard(guard, Dependencies((ManagerAtWork(host),)), interrupted).before(False)
    if cause:
        outcome, found = Outcome.BLOCKED, cause.summary
    elif guard.facts(host, 0.0).nodes is None:  # nothing is known of it
        outcome, found = Outcome.ERROR, "it has not answered in time"
    else:
        outcome, found = Outcome.PASS, "it reports the nodes of the Swarm"
    evidence = Evidence(host, _COMMAND, statement(host), found, holds=outcome is Outcome.PASS)
    seconds, hint = time.monotonic() - began, cause.remedy if cause else ""
    return Result(SWARM_PLAY, statement(host), _KIND, outcome, 1, seconds, (evidence,), hint, cause, own=True)

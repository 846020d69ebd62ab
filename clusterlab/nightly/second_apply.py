"""The statement that a second apply changes nothing.

What was applied is as wanted, and stays so.
"""

from __future__ import annotations

from collections.abc import Sequence

from clusterlab.nightly.nightly_run import OWN_PLAY
from clusterlab.resources.base import Change
from clusterlab.results import Evidence, Outcome, Result

SECOND_APPLY = "a second apply changes nothing"
_WANTED = "no changes"
_COMMAND = "clusterlab plan"
_HINT = "something reverts these changes, or they never take effect: see `clusterlab plan`"


def changes_nothing(changes: Sequence[Change]) -> Result:
    """The statement's result, when a second apply would make `changes`.

    Each of them is evidence.
    """
    evidence = tuple(_evidence(change) for change in changes) or (Evidence("all hosts", _COMMAND, _WANTED, _WANTED),)
    outcome, hint = (Outcome.FAIL, _HINT) if changes else (Outcome.PASS, "")
    return Result(OWN_PLAY, SECOND_APPLY, "idempotence", outcome, evidence=evidence, hint=hint, own=True)


def _evidence(change: Change) -> Evidence:
    found = f"would {change.action} {change.key.kind} {change.key.name}: {change.reason}"
    command = change.command or _COMMAND
    return Evidence(change.key.host, command, _WANTED, found, "\n".join(map(str, change.differences)), holds=False)

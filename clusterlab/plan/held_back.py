"""What must not be taken away because it could not be brought back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clusterlab.resources.base import Change, Key


def held_back(changes: Sequence[Change]) -> list[Change]:
    """The same changes.

    Those are blocked, too, that take something away whose own change will not be made.

    A volume that is recreated on one host takes away the containers and services that use it; they come back with
    changes of their own. When one of those is blocked, or needs one that is (a volume of the same service on another
    host), or belongs to a play that is not at hand, what works now is left alone.
    """
    planned = {change.key: change for change in changes}
    while blocked := _next(planned):
        planned[blocked.key] = blocked
    return list(planned.values())


def _next(planned: dict[Key, Change]) -> Change | None:
    stopped = _stopped(planned)
    for change in planned.values():
        if change.blocked:
            continue
        for key in sorted(change.takes):
            if key in stopped:
                cause = stopped[key]
                why = f"it would take away {key.kind} {key.name}, which could not be recreated because of {cause}"
                return replace(change, blocked=why, flag=planned[cause].flag)
            if key not in planned:
                why = f"it would take away {key.kind} {key.name} of another play: name that play, too"
                return replace(change, blocked=why)
    return None


def _stopped(planned: dict[Key, Change]) -> dict[Key, Key]:
    """The changes that will not be made, with the blocked one that is the cause."""
    causes = {key: key for key, change in planned.items() if change.blocked}
    while True:
        more = {
            key: causes[min(change.needs & causes.keys())]
            for key, change in planned.items()
            if key not in causes and change.needs & causes.keys()
        }
        if not more:
            return causes
        causes |= more

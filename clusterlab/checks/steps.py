"""steps: several probes in order, with actions between them that are undone at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import docker.errors

from clusterlab.errors import ClusterlabError
from clusterlab.model.checks import Action, Check, Step

from .attempts import Asked, Interrupted, settle
from .finding import Finding, finding, unasked
from .kinds import ASK
from .place import Place, Places, WrongAnswer
from .result import Outcome, worst

_STOP_SECONDS = 10  # what a container gets to end by itself, as `docker stop` gives it


def ask(check: Check, places: Places, interrupted: Event) -> Asked:
    """Take the steps in order until one does not hold; what actions changed is put back, however it ends.

    The check's `within` is for each step that has none of its own.
    """
    asked: list[Asked] = []
    undo = _Undo(places)
    try:
        for step in check.steps:
            asked.append(_take(step, check.within, places, undo, interrupted))
            if asked[-1].outcome not in (Outcome.PASS, Outcome.FLAKY):
                break
    finally:
        put_back = undo.put_back()
    if put_back:
        asked.append(Asked(Outcome.ERROR, tuple(put_back), 1))
    return Asked(
        worst(item.outcome for item in asked),
        tuple(finding for item in asked for finding in item.findings),
        max(item.attempts for item in asked),
    )


def _take(step: Step, within: float | None, places: Places, undo: _Undo, interrupted: Event) -> Asked:
    if step.do is None:
        probe = step.probe
        return settle(
            lambda: ASK[step.kind](probe, places), interrupted, within if step.within is None else step.within
        )
    if interrupted.is_set():
        raise Interrupted("interrupted")
    done = undo.act(step.do)
    return Asked(done.outcome, (done,), 1)


class _Undo:
    """Carries out actions, and remembers how each container was before the first of them."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._ran_before: dict[Place, bool] = {}

    def act(self, action: Action) -> Finding:
        """Stop or start the container; doing so to one that is already so changes nothing."""
        place = self._places.container(action.stop or action.start or "")
        running = action.start is not None
        wanted = f"{place.container} is {'started' if running else 'stopped'}"
        try:
            was_running = _is_running(place, self._places)
            self._ran_before.setdefault(place, was_running)
            _set_running(place, self._places, running)
        except ClusterlabError as error:
            return unasked(place, wanted, error)
        command = f"docker {'start' if running else 'stop'} {place.container}"
        found = f"it was {'running' if was_running else 'stopped'}, and is {'running' if running else 'stopped'} now"
        return finding(place.host, command, holds=True, wanted=wanted, found=found)

    def put_back(self) -> list[Finding]:
        """Make every container as it was; a finding for each with which that failed."""
        failed = []
        for place, running in self._ran_before.items():
            try:
                if _is_running(place, self._places) is not running:
                    _set_running(place, self._places, running)
            except ClusterlabError as error:
                failed.append(unasked(place, f"{place} is {'started' if running else 'stopped'} again", error))
        return failed


@contextmanager
def _container(place: Place, places: Places) -> Iterator[Any]:
    with places.engine(place.host) as engine:
        try:
            yield engine
        except docker.errors.NotFound as error:
            raise WrongAnswer(f"there is no container {place}", remedy="`clusterlab apply` makes it") from error


def _is_running(place: Place, places: Places) -> bool:
    with _container(place, places) as engine:
        return bool(engine.inspect_container(place.container)["State"]["Running"])


def _set_running(place: Place, places: Places, running: bool) -> None:
    with _container(place, places) as engine:
        if running:
            engine.start(place.container)
        else:
            engine.stop(place.container, timeout=_STOP_SECONDS)

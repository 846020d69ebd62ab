"""However steps end, what could not be restored is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from clusterlab.capabilities import Capabilities
from clusterlab.checks import runner, steps
from clusterlab.checks.actions import Actions
from clusterlab.checks.attempts import Asked, Interrupted
from clusterlab.checks.finding import Finding, finding, nothing_to_probe, unasked
from clusterlab.checks.guard import CheckGuard, Guard
from clusterlab.checks.places import Places
from clusterlab.errors import HostError
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.results import Cause, Outcome

STEPS = [{"do": {"stop": "web"}}, {"command": {"on": "host1", "run": "id"}}]
PLAY = Play.model_validate(
    {
        "title": "t",
        "containers": {"web": {"host": "host1", "image": "web"}},
        "checks": [{"title": "x", "steps": STEPS}],
    }
)
INVENTORY = {
    "lab": "demo",
    "machines": "namespaces",
    "hosts": {"host1": {"address": "192.168.98.11", "roles": ["docker"]}},
}
LAB = Lab(Inventory.model_validate(INVENTORY), {"p": PLAY}, Path())
CAUSE = Cause("host-unreachable", "host1", "it is gone")
LEFT = unasked("web on host1", "web on host1 is started again", HostError("host1", "no route"))
BAD = finding("host1", "id", holds=False, wanted="yes", found="no")


def take(monkeypatch: pytest.MonkeyPatch, unrestored: list[Finding], step: Callable[[], Asked]) -> Asked:
    """The only check, of which each step ends as given."""
    monkeypatch.setattr(Actions, "restore", lambda actions: unrestored)
    monkeypatch.setattr(steps, "_take", lambda *args: step())
    return steps.ask(PLAY.checks[0], Places(LAB, PLAY, Hosts({})), Event(), lambda last: None)


def stopped(error: BaseException) -> Callable[[], Asked]:
    def step() -> Asked:
        raise error

    return step


def test_a_blocked_step_does_not_hide_what_was_not_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = Asked(Outcome.BLOCKED, (BAD,), 2, CAUSE)
    asked = take(monkeypatch, [], lambda: blocked)
    assert (asked.outcome, asked.cause) == (Outcome.BLOCKED, CAUSE)
    asked = take(monkeypatch, [LEFT], lambda: blocked)
    assert (asked.outcome, asked.cause, asked.attempts) == (Outcome.ERROR, None, 2)
    assert asked.findings == (BAD, LEFT)


def test_a_step_with_nothing_to_probe_proves_nothing_of_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after a step that was flaky, which is a success by itself."""
    held = finding("host1", "id", holds=True, wanted="yes", found="yes")
    nothing = nothing_to_probe("host1", "id", wanted="yes", found="there is none")
    later = iter([Asked(Outcome.FLAKY, (BAD, held), 2), Asked(Outcome.UNSUPPORTED, (nothing,), 1)])
    assert take(monkeypatch, [], lambda: next(later)).outcome is Outcome.UNSUPPORTED


def test_an_error_of_a_step_and_what_was_not_restored_are_both_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    error = HostError("host1", "gone")
    assert take(monkeypatch, [], stopped(error)).outcome is Outcome.ERROR
    asked = take(monkeypatch, [LEFT], stopped(error))
    assert asked.outcome is Outcome.ERROR
    assert [item.evidence.found for item in asked.findings] == ["host1: gone", "host1: no route"]


def test_a_defect_says_what_was_not_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        take(monkeypatch, [LEFT], stopped(ZeroDivisionError()))
    assert "web on host1 is started again" in raised.value.__notes__[0]


def test_an_interrupt_says_what_was_not_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Interrupted) as raised:
        take(monkeypatch, [], stopped(Interrupted("interrupted")))
    assert raised.value.detail == ""
    said: list[tuple[str, str]] = []

    class Said(Silent):
        def say(self, subject: str, text: str) -> None:
            said.append((subject, text))

    monkeypatch.setattr(Actions, "restore", lambda actions: [LEFT])
    monkeypatch.setattr(Guard, "begin", lambda guard: None)
    monkeypatch.setattr(CheckGuard, "before", lambda guard, waits: None)

    def run(*args: Any) -> Asked:
        raise Interrupted("interrupted")

    monkeypatch.setattr(steps, "_take", run)
    with pytest.raises(Interrupted):
        runner.run_checks(LAB, Hosts({}), Capabilities({}), lambda result: None, Said())
    assert said == [("p", "not restored: host1: no route (wanted: web on host1 is started again)")]

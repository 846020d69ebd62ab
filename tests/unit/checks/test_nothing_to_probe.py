"""A statement for which there is nothing to probe: never a pass; a strict run accepts it where nobody wrote it."""

from __future__ import annotations

import pytest

from clusterlab.capabilities import Capabilities
from clusterlab.checks.finding import Finding, finding, nothing_to_probe
from clusterlab.checks.guard import CheckGuard, Guard
from clusterlab.checks.kinds import KINDS
from clusterlab.checks.runner import run_checks
from clusterlab.model.checks import Check, check_model
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.progress import Silent
from clusterlab.pytest_plugin.statements import NotProven, settle
from clusterlab.remote import Hosts
from clusterlab.reports.verdict import exit_code, proven
from clusterlab.results import NOTHING_TO_PROBE, Outcome, Result

INVENTORY = Inventory.model_validate({"lab": "demo", "hosts": {"host1": {"address": "192.168.98.11"}}})
REASON = "worker listens on no TCP port"


def check(title: str, **more: object) -> Check:
    text = {"title": title, "command": {"on": "host1", "run": "id"}, **more}
    return check_model().model_validate(text)


def run(monkeypatch: pytest.MonkeyPatch, *checks: Check) -> list[Result]:
    """The results of checks; what is called "proven" passes, and there is nothing to probe for all others."""
    outcomes = iter(one.title == "proven" for one in checks)

    def ask(probe: object, places: object) -> list[Finding]:
        if next(outcomes):
            return [finding("host1", "ask", holds=True, wanted="a port answers", found="it does")]
        return [nothing_to_probe("host1", "ask", wanted="a port answers", found=REASON)]

    monkeypatch.setattr(KINDS["command"], "ask", ask)
    monkeypatch.setattr(Guard, "begin", lambda guard: None)
    monkeypatch.setattr(CheckGuard, "before", lambda guard, waits: None)
    monkeypatch.setattr("clusterlab.checks.runner._at_once", lambda lab, guard: 1)
    lab = Lab(INVENTORY, {"p": Play(title="play", checks=list(checks))})
    return run_checks(lab, Hosts({}), Capabilities({}), lambda result: None, Silent())


def test_what_a_person_wrote_makes_a_strict_run_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    results = run(monkeypatch, check("proven"), check("written", hint="see its configuration"))
    written = results[1]
    assert (written.outcome, written.hint, written.cause) == (Outcome.UNSUPPORTED, REASON, None)
    assert not written.evidence[0].logs
    assert proven(results) == f"1 of 2 statements proven, 1 unsupported ({REASON})"
    assert (exit_code(results), exit_code(results, strict=True)) == (0, 1)
    with pytest.raises(NotProven):
        settle(written, strict=True)


def test_what_follows_from_a_stack_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    results = run(monkeypatch, check("proven"), check("derived").as_derived())
    derived = results[1]
    assert derived.outcome is Outcome.UNSUPPORTED
    assert derived.cause
    assert (derived.cause.code, derived.cause.summary) == (NOTHING_TO_PROBE, REASON)
    assert proven(results) == f"1 of 2 statements proven, 1 unsupported ({REASON})"
    assert (exit_code(results), exit_code(results, strict=True)) == (0, 0)
    with pytest.raises(pytest.skip.Exception, match=REASON):
        settle(derived, strict=True)


def test_alone_it_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    results = run(monkeypatch, check("derived").as_derived())
    assert (exit_code(results), exit_code(results, strict=True)) == (3, 1)

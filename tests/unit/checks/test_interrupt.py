"""An interrupt, or a deadline, ends the checks in bounded time, and loses no result."""

from __future__ import annotations

import _thread
import threading
import time

import pytest

from clusterlab.capabilities import Capabilities
from clusterlab.checks import runner
from clusterlab.checks.guard import Guard
from clusterlab.checks.runner import Job, run_checks
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.results import Outcome, Result

CHECKS = [{"title": name, "command": {"on": "host1", "run": "id"}} for name in ("quick", "restores", "hangs")]
LAB = Lab(
    Inventory.model_validate({"lab": "demo", "hosts": {"host1": {"address": "192.168.98.11"}}}),
    {"play": Play.model_validate({"title": "play", "checks": CHECKS})},
)


def test_what_hangs_is_left_after_a_while_and_what_ends_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "RESTORE_SECONDS", 1.0)
    hangs = threading.Event()

    def result(job: Job, guard: Guard, interrupted: threading.Event) -> Result:
        if job.check.title == "restores":
            interrupted.wait(10.0)
        elif job.check.title == "hangs":
            hangs.wait(10.0)
        return Result(job.play, job.check.title, "command", Outcome.PASS)

    monkeypatch.setattr(runner, "_result", result)
    monkeypatch.setattr(Guard, "begin", lambda guard: None)
    ended: list[str] = []

    def on_result(result: Result) -> None:
        ended.append(result.check)
        if ended == ["quick"]:
            _thread.interrupt_main()

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_checks(LAB, Hosts({}), Capabilities({}), on_result, Silent())
    assert time.monotonic() - began < 5.0
    assert list(dict.fromkeys(ended)) == ["quick", "restores"]  # one that an interrupt cut short comes twice
    hangs.set()

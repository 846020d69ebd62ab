"""The process that heals a fault when nobody else does."""

from __future__ import annotations

import io
import select
import subprocess
import sys
from types import SimpleNamespace

import pytest

from clusterlab.faults import watchdog


@pytest.mark.parametrize(("recorded", "healed"), [(False, []), (True, ["f1"])])
def test_it_takes_the_lab_only_for_a_fault_that_is_still_there(
    recorded: bool, healed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the command after `clusterlab heal` would find the lab locked."""
    found: list[str] = []
    monkeypatch.setattr(select, "select", lambda *_: ([sys.stdin], [], []))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(watchdog._STAY)))
    monkeypatch.setattr(watchdog, "_is_recorded", lambda lab, fault: recorded)
    monkeypatch.setattr(watchdog, "_heal_alone", lambda lab, fault: found.append(fault))
    watchdog._watch("lab", "f1", 0.01)
    assert found == healed


def test_one_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = subprocess.Popen(["sleep", "3"], stdin=subprocess.PIPE)
    monkeypatch.setattr(watchdog, "_END_SECONDS", 0.1)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: hangs)
    watchdog.Watchdog("lab", "f1", 10.0).end()
    assert hangs.returncode == -9

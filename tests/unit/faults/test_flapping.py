"""A loose cable: out and in again and again, until somebody heals.

It is never out after that.
"""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from clusterlab.faults import flapping
from clusterlab.faults.record import FaultRecord, forget, remember
from clusterlab.machines.state import LabState
from clusterlab.waiting import wait_until


class Cable:
    """What was done to the machine of a host, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._lock = threading.Lock()

    def carry_out(self, host: str, operation: str, value: int = 0) -> None:
        with self._lock:
            self.done.append(operation)


@pytest.fixture
def cable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cable:
    found = Cable()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(flapping, "recall_machines", lambda lab: SimpleNamespace(outside=found))
    LabState("lab").make()
    return found


def record(**flaps: tuple[float, float]) -> FaultRecord:
    made = FaultRecord(id="f1", kind="flap", params={}, outside={"host2": "unplug"}, flaps=flaps)
    remember("lab", made)
    return made


def test_it_is_out_and_in_until_it_is_healed(cable: Cable) -> None:
    made = record(host2=(0.01, 0.01))
    flaps = flapping.Flapping("lab", "f1")
    wait_until(lambda: len(cable.done) >= 4, "four changes", 10.0)
    flapping.end_flaps("lab", [made])
    done = list(cable.done)
    flaps.stop()
    assert cable.done == done
    assert done[:4] == ["unplug", "plug", "unplug", "plug"]


def test_it_ends_with_its_record(cable: Cable) -> None:
    record(host2=(0.01, 0.01))
    flapping.Flapping("lab", "f1")
    wait_until(lambda: bool(cable.done), "a change", 10.0)
    forget("lab", ["f1"])
    wait_until(lambda: not any("_flap" in thread.name for thread in threading.enumerate()), "it to end", 10.0)


def test_a_fault_without_flaps_is_left_alone(cable: Cable) -> None:
    record()
    flapping.Flapping("lab", "f1").stop()
    assert cable.done == []

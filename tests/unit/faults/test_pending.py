"""What `heal --dry-run` lists: what hosts remember, and what `heal` does to machines in any case."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest

from clusterlab.faults.heal import in_any_case, pending
from clusterlab.faults.record import FaultRecord, remember
from clusterlab.faults.scene import Scene
from clusterlab.model import Lab
from clusterlab.model.inventory import Inventory
from clusterlab.remote import Completed, Hosts


class Remembered:
    """Hosts that answer with the descriptions that they keep."""

    def __init__(self, said: dict[str, str]) -> None:
        self.said = said

    def each(self, names: Iterable[str], ask: Any) -> dict[str, Completed]:
        return {name: Completed(name, "", 0, self.said.get(name, ""), "", 0.0) for name in names}


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def scene(machines: str = "namespaces", **said: str) -> Scene:
    hosts = {"host1": {"address": "10.1.0.11"}, "host2": {"address": "10.1.0.12"}}
    inventory = {"lab": "shop", "machines": machines, "network": {"subnet": "10.1.0.0/24"}, "hosts": hosts}
    return Scene(Lab(Inventory.model_validate(inventory)), cast(Hosts, Remembered(said)))


def test_a_description_that_was_not_written_to_its_end_is_a_fault_too() -> None:
    whole = '{"id": "a1", "lab": "shop", "kind": "isolate"}\n'
    broken = '{"id": "b2", "lab": "shop", "ki\n'
    assert pending(scene(host1=whole + broken, host2=whole)) == [
        "isolate (a1) on host1",
        "a fault on host1 whose description is incomplete",
        "isolate (a1) on host2",
    ]


@pytest.mark.parametrize(
    ("machines", "operations"),
    [
        ("namespaces", ["resume", "power_on", "plug"]),
        ("qemu", ["resume", "power_on", "plug", "unthrottle"]),
        ("existing", []),
    ],
)
def test_what_is_done_to_machines_without_a_record_is_listed(machines: str, operations: list[str]) -> None:
    assert in_any_case(scene(machines)) == operations
    remember("shop", FaultRecord(id="a1", kind="isolate", params={}, heals={"host1": ":"}))
    assert in_any_case(scene(machines)) == []
    assert in_any_case(scene(machines), record=False) == operations

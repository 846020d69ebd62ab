"""The dead man's switches, seen from outside: who injected a fault stands still, and it is healed all the same.

The hosts heal what was done on them, and the watchdog what was done to machines. Neither has a word of the process that
injected; when that goes on, it finds that its fault ended early.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from clusterlab.faults import residue
from clusterlab.faults.record import recorded
from clusterlab.faults.scene import Scene
from clusterlab.model import load_inventory
from clusterlab.waiting import wait_until
from tests.support.fault_cases import REMAINS
from tests.support.labs import EngineLab, lab_up

pytestmark = pytest.mark.engine

INVENTORY = {
    "lab": f"switches-{os.getpid()}",
    "machines": "namespaces",
    "network": {"subnet": "10.77.0.0/24"},
    "hosts": {"gw": {"address": "10.77.0.1"}, "host1": {"address": "10.77.0.11"}, "host2": {"address": "10.77.0.12"}},
}
MARGIN = "20"
"""Seconds from the end of what a fault may last until it is healed, in place of a minute: its proof takes some."""
_SELF_HEALED = "ls /run/clusterlab/faults/*/healed"
_CARRIER = "cat /sys/class/net/eth0/carrier"


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("switches") / "inventory.yml"
    file.write_text(yaml.safe_dump(INVENTORY))
    return file


@pytest.fixture(scope="module")
def up(inventory: Path) -> Iterator[EngineLab]:
    with lab_up(load_inventory(inventory)) as up:
        yield up


@pytest.mark.parametrize(
    ("fault", "asked", "before", "after"),
    [
        ("isolate: {host: host2, lasts: 1s}", _SELF_HEALED, "", "healed"),
        ("unplug: {host: host2, lasts: 1s}", _CARRIER, "0", "1"),
    ],
    ids=["on the hosts", "from outside"],
)
def test_it_heals_itself(up: EngineLab, inventory: Path, fault: str, asked: str, before: str, after: str) -> None:
    scene, host = Scene(up.lab, up.hosts), up.hosts["host2"]
    then = residue.fingerprints(scene, up.lab.inventory.hosts)
    command = [sys.executable, "-m", "tests.support.inject", str(inventory), fault, MARGIN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "injected\n"
            process.send_signal(signal.SIGSTOP)
            assert host.run(asked).stdout.strip() == before
            wait_until(lambda: after in host.run(asked).stdout, "the host to be healed", 60.0)
            wait_until(lambda: not _differences(scene, then), "all hosts to be as before", 15.0)
            assert [record.kind for record in recorded(up.lab.name)] == [fault.partition(":")[0]]
        finally:
            process.send_signal(signal.SIGCONT)
            said, _ = process.communicate("", timeout=60)
    assert said.startswith("EndedEarly"), said  # what was seen meanwhile proves nothing
    assert recorded(up.lab.name) == []
    assert {up.hosts[name].run(REMAINS).stdout for name in up.hosts} == {""}


def _differences(scene: Scene, then: dict[str, residue.Fingerprint]) -> list[str]:
    """What is not as before; a switch that has done its work is removed by whoever heals."""
    now = residue.fingerprints(scene, then)
    return list(residue.differences(then, now, frozenset({"dead-man switches"})))

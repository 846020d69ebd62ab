"""What remains when the process that injects a fault is killed.

It is killed at random moments, and then `clusterlab heal` runs:

    sudo .venv/bin/python -m tests.bench.faults_killed [KILLS [SEED]]        (default: 30 kills)

Every other kill (SIGKILL) comes after the effect was proven, while it lasts or is healed; the rest before. What is
looked for are differences of the fingerprints of all hosts, what faults leave there, records, and watchdogs; with
anything left, or a `heal` that fails, it ends with 1.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from clusterlab.faults import residue
from clusterlab.faults.record import recorded
from clusterlab.faults.scene import Scene
from clusterlab.model import load_inventory
from tests.support.fault_cases import REMAINS, with_service
from tests.support.labs import EngineLab, lab_in_swarm

FAULTS = (
    "isolate: {host: host2}",
    "unplug: {host: host2}",
    "flap: {host: host2, down: 1s, up: 1s}",
    "pause_machine: {host: host2}",
    "freeze_engine: {host: host2}",
    "duplicate_address: {of: host2, at: gw}",
    "no_route: {host: host1, to: host2}",
    "freeze_task: {service: sleeper}",
    "power_off: {host: gw}",
    "rate: {host: gw, mbit: 10}",
)
_LASTS = 2.0
"""Seconds from the proof of a fault until it is healed, when nobody kills."""
_INJECTS, _HEALS = 6.0, 3.0
"""Seconds that injecting and healing take, more or less."""
_INJECTED_SECONDS = 120.0
_WATCHDOG_SECONDS = 5.0
INVENTORY = {
    "lab": f"faults-killed-{os.getpid()}",
    "machines": "namespaces",
    "network": {"subnet": "10.67.0.0/24"},
    "hosts": {
        "gw": {"address": "10.67.0.1"},
        "host1": {"address": "10.67.0.11", "roles": ["docker", "swarm_manager"]},
        "host2": {"address": "10.67.0.12", "roles": ["docker", "swarm_worker"]},
    },
}


def main(arguments: Sequence[str]) -> int:
    kills = int(arguments[0]) if arguments else 30
    draws = random.Random(int(arguments[1]) if len(arguments) > 1 else 7)
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        inventory = Path(folder) / "inventory.yml"
        inventory.write_text(yaml.safe_dump(INVENTORY))
        with lab_in_swarm(load_inventory(inventory)) as up:
            with_service(up)
            for number in range(kills):
                late = number % 2 == 1
                seconds = draws.uniform(0.0, _LASTS + _HEALS if late else _INJECTS)
                bad += _killed(up, inventory, FAULTS[number // 2 % len(FAULTS)], late, seconds)
    print(f"{kills} kills, {bad} after which something was left")
    return 1 if bad else 0


def _killed(up: EngineLab, inventory: Path, fault: str, late: bool, seconds: float) -> bool:
    """Kill it so many seconds after its start, or late, after its effect was proven; heal, and say what remains."""
    scene, hosts = Scene(up.lab, up.hosts), up.lab.inventory.hosts
    before = residue.fingerprints(scene, hosts)
    process = _started(inventory, fault)
    injected = threading.Event()
    threading.Thread(target=_heal_in_time, args=(process, injected), daemon=True).start()
    if late:
        injected.wait(_INJECTED_SECONDS)
    time.sleep(seconds)
    process.kill()
    process.wait()
    records = ", ".join(map(str, recorded(up.lab.name))) or "nothing recorded"
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "clusterlab", "heal", "-i", str(inventory)], capture_output=True, text=True, timeout=300
    )
    took = time.monotonic() - began
    left = [f"heal ended with {done.returncode}: {done.stderr.strip()[-300:]}"] if done.returncode else []
    left += residue.differences(before, residue.fingerprints(scene, hosts), frozenset())
    left += [f"{name}: {said}" for name in hosts if (said := " ".join(up.hosts[name].run(REMAINS).stdout.split()))]
    left += [f"recorded: {record}" for record in recorded(up.lab.name)]
    left += _watchdogs(up.lab.name)
    print(
        f"{fault:42} killed after {seconds:5.2f} s; {records:34} heal {took:5.1f} s; left:",
        "; ".join(left) or "nothing",
    )
    return bool(left)


def _heal_in_time(process: subprocess.Popen[str], injected: threading.Event) -> None:
    """Let it heal some seconds after it has injected."""
    assert process.stdout is not None
    assert process.stdin is not None
    if process.stdout.readline():
        injected.set()
        time.sleep(_LASTS)
        process.stdin.close()


def _watchdogs(lab: str) -> list[str]:
    """The watchdogs of the lab that are still there some seconds after the heal."""
    deadline = time.monotonic() + _WATCHDOG_SECONDS
    while True:
        found = [
            path.parent.name
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if f"clusterlab.faults.watchdog\0{lab}\0" in _read(path)
        ]
        if not found or time.monotonic() > deadline:
            return [f"watchdog {pid}" for pid in found]
        time.sleep(0.1)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""  # it has ended


def _started(inventory: Path, fault: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.inject", str(inventory), fault],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What remains of a lab in namespaces when `up` or `down` is killed, and after the next command:

    sudo .venv/bin/python -m tests.bench.killed [KILLS]        (default: 8 of each)

The kills (SIGKILL) are spread evenly over the time that the command takes when nobody disturbs it. What is counted is
listed too where it was to be gone, and the command then ends with 1.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from clusterlab.machines import Machines, open_machines
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
from tests.support import footprint
from tests.support.labs import namespaces_lab

SUBNET = "10.67.0.0/24"
KINDS = ("processes", "namespaces", "mounts", "cgroups", "links", "files")
NEXT = ("down", "up, down")


def main(kills: int) -> int:
    lab = namespaces_lab(f"killed-{os.getpid()}", SUBNET)
    with tempfile.TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state
        machines = open_machines(lab)
        print(f"{'':34}" + "".join(f"{kind:>11}" for kind in KINDS))
        left = _show("before", footprint.seen(lab.name, Path(state), set()))
        up, down = (_seconds(verb, lab) for verb in ("up", "down"))
        for number in range(kills):
            part = number / kills
            left |= _killed("up", up * part, NEXT[number % 2], machines, lab, Path(state))
        for number in range(kills):
            part = number / kills
            machines.up(Silent())
            left |= _killed("down", down * part, NEXT[number % 2], machines, lab, Path(state))
    return 1 if left else 0


def _killed(verb: str, seconds: float, then: str, machines: Machines, lab: Lab, state: Path) -> bool:
    """Kill a command and give the next one; whether anything remains after that."""
    spaces = footprint.namespaces(set(footprint.processes(lab.name)))
    process = _started(verb, lab)
    time.sleep(seconds)
    spaces |= footprint.namespaces(set(footprint.processes(lab.name)))
    process.kill()
    process.wait()
    spaces |= footprint.namespaces(set(footprint.processes(lab.name)))
    _show(f"{verb} killed after {seconds:.2f} s", footprint.seen(lab.name, state, spaces))
    for word in then.split(", "):
        getattr(machines, word)(Silent())
    left = footprint.left(lab.name, state, spaces)
    _show(f"    after the next: {then}", left)
    for kind, what in left.items():
        print(f"      {kind}: {what}")
    return bool(left)


def _started(verb: str, lab: Lab) -> subprocess.Popen[bytes]:
    """The command in a process of its own, from the moment at which it begins its work."""
    command = [sys.executable, "-m", "tests.support.up_in_background", verb, lab.name, SUBNET]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def _seconds(verb: str, lab: Lab) -> float:
    """How long the command takes undisturbed."""
    process = _started(verb, lab)
    began = time.monotonic()
    process.communicate()
    return time.monotonic() - began


def _show(when: str, found: footprint.Found) -> bool:
    print(f"{when:34}" + "".join(f"{len(found.get(kind, ())):>11}" for kind in KINDS), flush=True)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8))

"""Every fault on hosts in namespaces, as a table.

Whether it took effect, was healed, and what remained:

    sudo .venv/bin/python -m tests.bench.faults [FAULT ...]

What is injected are the cases of tests/engine/faults/cases in which a fault takes effect. It ends with 1 when a fault
that these machines can have took no effect, was not healed, or left something behind.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from clusterlab.faults.kinds import FAULTS
from clusterlab.faults.scene import Scene
from tests.support.fault_cases import NAMESPACES, Tried, prepared, sound, spec_of, table, tried, with_service
from tests.support.labs import EngineLab, lab_in_swarm, namespaces_lab


def main(faults: Sequence[str]) -> int:
    cases, rows = sound(NAMESPACES), []
    with tempfile.TemporaryDirectory() as state, lab(state) as up:
        for fault in faults or FAULTS:
            row = _row(fault, cases.get(fault), up)
            rows.append(row)
            print(table(up.machines.kind.name, [row])[-1], file=sys.stderr, flush=True)
    print("\n".join(table(up.machines.kind.name, rows)))
    return 0 if all(row.ok for row in rows) else 1


def _row(fault: str, case: Mapping[str, Any] | None, up: EngineLab) -> Tried:
    """What came of a fault, or why these machines cannot have it."""
    unsupported, needs = up.machines.unsupported(), sorted(FAULTS[fault].needs)
    reasons = [unsupported.reason(host, need) for host in up.lab.inventory.hosts for need in needs]
    if why := FAULTS[fault].reason(up.machines.kind) or next(filter(None, reasons), ""):
        return Tried(fault, f"cannot: {why}", ok=True)
    if case is None:
        return Tried(fault, "not tried: there is no case of it")
    with prepared(case, up.hosts):
        return tried(spec_of(case), Scene(up.lab, up.hosts))


@contextmanager
def lab(state: str) -> Iterator[EngineLab]:
    """A lab with what faults break; its state is in a folder."""
    os.environ["XDG_STATE_HOME"] = state
    with lab_in_swarm(namespaces_lab(f"faults-{os.getpid()}", "10.67.0.0/24")) as up:
        with_service(up)
        yield up


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Every fault on hosts in namespaces, or on virtual machines, as a table.

Whether it took effect, was healed, and what remained:

    sudo .venv/bin/python -m tests.bench.faults [FAULT ...]
    .venv/bin/python -m tests.bench.faults --machines qemu [FAULT ...]

What is injected are the cases of tests/engine/faults/cases and tests/lab/faults in which a fault takes effect, those
for machines of this kind first. It ends with 1 when a fault that these machines can have took no effect, was not
healed, or left something behind.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from clusterlab.errors import ClusterlabError
from clusterlab.faults.kinds import FAULTS
from clusterlab.faults.scene import Scene
from clusterlab.resources.swarm_tasks import running_tasks
from clusterlab.waiting import wait_until
from tests.support.fault_cases import (
    NAMESPACES,
    QEMU,
    SERVICE,
    Tried,
    prepared,
    sound,
    spec_of,
    table,
    tried,
    with_service,
)
from tests.support.fault_lab import virtual_machines
from tests.support.labs import EngineLab, lab_in_swarm, namespaces_lab


def main(words: list[str]) -> int:
    given = parsed(words, __doc__)
    folders, lab = LABS[given.machines]
    cases, rows = sound(*folders), []
    with lab() as up:
        for fault in given.faults or FAULTS:
            row = _row(fault, cases.get(fault), up)
            rows.append(row)
            print(table(up.machines.kind.name, [row])[-1], file=sys.stderr, flush=True)
    print("\n".join(table(up.machines.kind.name, rows)))
    return 0 if all(row.ok for row in rows) else 1


def parsed(words: list[str], description: str | None) -> argparse.Namespace:
    """The faults and the kind of machines in the words of a command."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faults", nargs="*", metavar="FAULT")
    parser.add_argument("--machines", choices=sorted(LABS), default="namespaces")
    return parser.parse_args(words)


def _row(fault: str, case: Mapping[str, Any] | None, up: EngineLab) -> Tried:
    """What came of a fault, or why these machines cannot have it."""
    if why := unable(fault, up):
        return Tried(fault, f"cannot: {why}", ok=True)
    if case is None:
        return Tried(fault, "not tried: there is no case of it")
    try:
        await_task(up)
    except ClusterlabError as error:
        return Tried(fault, f"not tried: {error.message}")
    with prepared(case, up.hosts):
        return tried(spec_of(case), Scene(up.lab, up.hosts))


def await_task(up: EngineLab) -> None:
    """Wait for the task of the service, which the fault before may have ended; raises ClusterlabError."""
    manager = up.hosts[up.lab.inventory.with_role("swarm_manager")[0]]
    wait_until(
        lambda: bool(running_tasks(manager, SERVICE, up.lab.inventory)), "its task to run", 60.0, subject=SERVICE
    )


def unable(fault: str, up: EngineLab) -> str:
    """Why these machines cannot have a fault; "" when they can."""
    unsupported, needs = up.machines.unsupported(), sorted(FAULTS[fault].needs)
    reasons = [unsupported.reason(host, need) for host in up.lab.inventory.hosts for need in needs]
    return FAULTS[fault].reason(up.machines.kind) or next(filter(None, reasons), "")


@contextmanager
def _namespaces() -> Iterator[EngineLab]:
    with _own_state(), lab_in_swarm(namespaces_lab(f"faults-{os.getpid()}", "10.67.0.0/24")) as up:
        with_service(up)
        yield up


@contextmanager
def _qemu() -> Iterator[EngineLab]:
    with _own_state() as folder, virtual_machines(f"faults-{os.getpid()}", folder) as up:
        yield up


@contextmanager
def _own_state() -> Iterator[Path]:
    """A folder in which labs of this process have their state."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        yield Path(folder)


LABS: Mapping[str, tuple[Sequence[Path], Callable[[], AbstractContextManager[EngineLab]]]] = {
    "namespaces": ([NAMESPACES, QEMU], _namespaces),
    "qemu": ([QEMU, NAMESPACES], _qemu),
}
"""By kind of machines: the folders of cases, its own first, and a lab with what faults break. Both labs have the same
names and addresses."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

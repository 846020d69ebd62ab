"""Starting all machines of a lab from their saved states: they go on together, or an error says which do not."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.progress import Task
from clusterlab.waiting import seconds_left, wait_until

from .console import tail
from .files import LabFiles
from .launch import Memory
from .qmp import Monitor, monitor
from .saving import STATE
from .snapshot_record import SnapshotRecord


def load_all(files: LabFiles, folder: Path, record: SnapshotRecord, task: Task, deadline: float) -> None:
    """Start the machines, whose disks are in place, with the states in `folder`. Their clocks stand where they were.

    They answer then, and do not count as made: that is for whoever has set their clocks.
    """
    task.update("loading their memory")
    _start_all(files, record)
    _load_states(files, folder, deadline)
    _wait_for_all(files, task, deadline)


def _start_all(files: LabFiles, record: SnapshotRecord) -> None:
    ports = {}
    for host, machine in files.machines.items():
        memory = Memory() if record.hosts[host].own_memory else None
        ports[host] = machine.start_waiting(replace(files.spec(host), memory=memory))
    files.keys.write_known_hosts(list(files.machines))
    files.write_record(ports)


def _load_states(files: LabFiles, folder: Path, deadline: float) -> None:
    """Load all states at the same time, and let the machines run when all are there."""
    with ExitStack() as stack:
        qemus = {
            host: stack.enter_context(monitor(machine.folder, timeout=60.0)) for host, machine in files.machines.items()
        }
        for host, qemu in qemus.items():
            qemu.execute("migrate-incoming", uri=f"exec:exec cat < {shlex.quote(str(folder / host / STATE))}")
        for host, qemu in qemus.items():
            _wait_until_loaded(files, host, qemu, deadline)
        _run(qemus)


def _wait_until_loaded(files: LabFiles, host: str, qemu: Monitor, deadline: float) -> None:
    try:
        loaded = lambda: qemu.execute("query-status")["status"] != "inmigrate"  # noqa: E731
        wait_until(loaded, "QEMU to load its memory", seconds_left(deadline), subject=host)
    except OSError as error:
        log = tail(files.machines[host].folder / "qemu.log")
        raise ClusterlabError(f"{host}: QEMU ended while it loaded its memory", detail=f"{error}\n{log}") from error


def _run(qemus: Mapping[str, Monitor]) -> None:
    for qemu in qemus.values():
        qemu.execute("cont")


def _wait_for_all(files: LabFiles, task: Task, deadline: float) -> None:
    never = threading.Event()
    for host, machine in files.machines.items():
        task.update(f"waiting until {host} answers")
        machine.wait_for_answer(files.target(host, files.ports[host]), task, never, deadline)

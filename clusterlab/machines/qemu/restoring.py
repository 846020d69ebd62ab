"""Bringing all machines of a lab to where they were saved: all of them, or none."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from clusterlab.build.machine_image import MachineImage, machine_image
from clusterlab.errors import ClusterlabError
from clusterlab.progress import Progress, Task
from clusterlab.waiting import seconds_left, wait_until

from .clocks import set_clocks
from .command import Memory
from .exchange import exchange, finish, lay_ready, undo
from .files import LabFiles
from .processes import end, processes_in
from .qmp import Monitor, monitor
from .saving import STATE
from .snapshot_record import SnapshotRecord
from .start import tail


def restore_all(files: LabFiles, name: str, folder: Path, record: SnapshotRecord, progress: Progress) -> None:
    """Replace the machines by those saved in `folder`; raises ClusterlabError saying what there is then."""
    image = machine_image(files.settings.release, files.settings.disk, progress)
    with progress.task(files.lab, f"restoring the snapshot {name}") as task:
        task.update("copying disks")
        with _told(name, "Nothing was changed: what ran runs on.", "make room, then restore again"):
            lay_ready(files, folder)
        with _told(
            name,
            "The machines are stopped, and each has the disk that it had before.",
            f"`clusterlab up` boots them as they were, `clusterlab restore {name}` tries again",
        ):
            _replace(files, folder, record, image, task)


@contextmanager
def _told(name: str, state: str, remedy: str) -> Iterator[None]:
    """Say of a failure in the block which state it left, and how to go on."""
    try:
        yield
    except (ClusterlabError, OSError) as error:
        why, detail = (error.message, error.detail) if isinstance(error, ClusterlabError) else (str(error), "")
        raise ClusterlabError(
            f"the snapshot {name} could not be restored: {why}. {state}", remedy=remedy, detail=detail
        ) from error


def _replace(files: LabFiles, folder: Path, record: SnapshotRecord, image: MachineImage, task: Task) -> None:
    deadline = time.monotonic() + files.settings.boot_timeout
    with ExitStack() as failure:
        failure.callback(undo, files)
        task.update("ending the machines that run")
        _end_all(files)
        exchange(files)
        task.update("loading their memory")
        _start_all(files, record, image)
        _load_all(files, folder, deadline)
        _wait_for_all(files, task, deadline)
        task.update("setting their clocks")
        set_clocks(files)
        finish(files)
        failure.pop_all()


def _end_all(files: LabFiles) -> None:
    """End the machines; the LAN's switch stays, or is started."""
    left = end(process for process in processes_in(files.state.folder) if process.machine)
    if left:
        pids = ", ".join(str(process.pid) for process in left)
        raise ClusterlabError(f"processes that cannot be ended: {pids}")
    if not files.lan.is_up:
        files.lan.start()


def _start_all(files: LabFiles, record: SnapshotRecord, image: MachineImage) -> None:
    ports = {}
    for host, machine in files.machines.items():
        memory = Memory() if record.hosts[host].own_memory else None
        ports[host] = machine.start_waiting(replace(files.spec(host, image), memory=memory))
    files.keys.write_known_hosts(list(files.machines))
    files.write_record(ports)


def _load_all(files: LabFiles, folder: Path, deadline: float) -> None:
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
        machine.wait(files.target(host, files.ports[host]), task, never, deadline)

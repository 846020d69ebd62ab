"""Saving all machines of a lab at one moment.

Memory, devices and disks, into one folder.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clusterlab.errors import ClusterlabError, Several
from clusterlab.files import PRIVATE
from clusterlab.machines.file_identity import identity
from clusterlab.programs import run_program
from clusterlab.progress import Task
from clusterlab.waiting import wait_until

from .accelerator import accelerator
from .files import LabFiles
from .processes import Process
from .qmp import Monitor, monitor
from .resume_watchdog import run_on, watched
from .snapshot_record import HostNeeds, Needs, SavedHost, SnapshotRecord

FILES = ("disk.qcow2", "seed.img")
"""What a machine has in its folder that is its own and must be saved with its state."""
STATE = "state"
_DEADLINE = 600.0  # seconds for memory to be written, and for a disk to be copied
_FAST = 1 << 40  # bytes per second: no limit
_FULL = 1 << 24  # a disk with less than this many bytes free is full


def save_all(files: LabFiles, folder: Path, task: Task, set_clocks: Callable[[], None]) -> SnapshotRecord:
    """Save the machines into `folder`; they run on, whatever comes, and then their clocks are set.

    Raises ClusterlabError.
    """
    processes = _all_running(files)
    folders = {host: machine.folder for host, machine in files.machines.items()}
    try:
        with _monitors(folders) as qemus:
            _check_same_qemu(qemus)
        for host in folders:
            (folder / host).mkdir()
        taken = datetime.now(UTC)
        with ExitStack() as ending, watched(list(folders.values())) as all_resumed, _monitors(folders) as qemus:
            ending.callback(set_clocks)  # while the machines stand still, their clocks do
            ending.callback(task.update, "setting their clocks")
            try:
                _stop(qemus)
                task.update("writing their memory")
                _write_states(qemus, folder)
                task.update("copying their disks")
                for host, path in folders.items():
                    for name in FILES:
                        copy(path / name, folder / host / name)
            finally:
                _run_on(qemus)
                all_resumed()
    except OSError as error:
        raise ClusterlabError(f"a machine could not be saved: its QEMU does not answer ({error})") from error
    return _record(files, folder, taken, processes)


def copy(source: Path, target: Path) -> None:
    """Copy a disk, its holes too, and sharing its blocks where the file system can.

    The copy is for this user alone. Raises ClusterlabError.
    """
    target.touch(PRIVATE)
    command = ["cp", "--reflink=auto", "--sparse=always", str(source), str(target)]
    done = run_program(command, _DEADLINE)
    if done.exit != 0:
        raise full_disk(target.parent) or ClusterlabError(f"{source} could not be copied", detail=done.stderr)


def full_disk(folder: Path) -> ClusterlabError | None:
    """The error for something that could not be written because a disk is full.

    The disk is that of `folder`.
    """
    if shutil.disk_usage(folder).free >= _FULL:
        return None
    return ClusterlabError(
        f"no space left on the disk of {folder}",
        remedy="free some space: `clusterlab snapshots` shows what each takes, `clusterlab gc` what is left over",
    )


def _all_running(files: LabFiles) -> dict[str, Process]:
    found: dict[str, Process] = {}
    for host, machine in files.machines.items():
        status = machine.status(files.ports.get(host))
        if status.state != "running":
            raise ClusterlabError(
                f"{host} is {status.state}: a snapshot needs all machines running ({status.detail})",
                remedy="bring them up first: clusterlab up",
            )
        process = machine.process
        if process:
            found[host] = process
    return found


@contextmanager
def _monitors(folders: Mapping[str, Path]) -> Iterator[dict[str, Monitor]]:
    with ExitStack() as stack:
        yield {host: stack.enter_context(monitor(path, timeout=60.0)) for host, path in folders.items()}


def _check_same_qemu(qemus: Mapping[str, Monitor]) -> None:
    for host, qemu in qemus.items():
        version = qemu.execute("query-version")
        number = ".".join(str(version["qemu"][part]) for part in ("major", "minor", "micro"))
        if number not in accelerator().fingerprint or version["package"] not in accelerator().fingerprint:
            raise ClusterlabError(
                f"{host} is run by QEMU {number} ({version['package']}), which is no longer the installed one",
                remedy="start the machines with the new one: clusterlab down, then clusterlab up",
            )


def _stop(qemus: Mapping[str, Monitor]) -> None:
    for qemu in qemus.values():
        qemu.execute("stop")


def _run_on(qemus: Mapping[str, Monitor]) -> None:
    errors = []
    for host, qemu in qemus.items():
        try:
            run_on(qemu)
        except (OSError, ClusterlabError) as error:
            errors.append(ClusterlabError(f"{host} was paused to be saved and could not be resumed: {error}"))
    if errors:
        raise Several(errors, remedy="see `clusterlab status`")


def _write_states(qemus: Mapping[str, Monitor], folder: Path) -> None:
    for host, qemu in qemus.items():
        (folder / host / STATE).touch(PRIVATE)  # a machine's memory has its keys
        # all of its memory: what a clone did not change is in a file of the cache, which may go
        qemu.execute("migrate-set-capabilities", capabilities=[{"capability": "x-ignore-shared", "state": False}])
        qemu.execute("migrate-set-parameters", **{"max-bandwidth": _FAST})
        qemu.execute("migrate", uri=f"exec:exec cat > {shlex.quote(str(folder / host / STATE))}")
    for host, qemu in qemus.items():
        outcome = _outcome(qemu, host)
        if outcome["status"] != "completed":
            raise full_disk(folder) or ClusterlabError(f"{host}: QEMU could not save it", detail=str(outcome))


def _outcome(qemu: Monitor, host: str) -> dict[str, Any]:
    outcome: dict[str, Any] = {}

    def ended() -> bool:
        outcome.update(qemu.execute("query-migrate"))
        return outcome.get("status") in ("completed", "failed", "cancelled")

    wait_until(ended, "QEMU to write its memory", _DEADLINE, subject=host, seen=lambda: str(outcome.get("status")))
    return outcome


def _record(files: LabFiles, folder: Path, taken: datetime, processes: Mapping[str, Process]) -> SnapshotRecord:
    state = files.state.read()
    assert state is not None  # its machines run
    made = LabFiles(files.lab, state.inventory, state.folder)
    how = accelerator()
    return SnapshotRecord(
        taken=taken,
        needs=Needs(
            hosts={host: _needs(made, host, process) for host, process in processes.items()},
            way=how.name,
            fingerprint=how.fingerprint,
        ),
        hosts={host: saved_host(folder / host / FILES[0], host, process) for host, process in processes.items()},
    )


def saved_host(disk: Path, host: str, process: Process) -> SavedHost:
    """Raises ClusterlabError when the machine runs on other files than those that its disk names by now."""
    chain = backing_chain(disk)
    bases = {path: known for path in chain if (known := identity(path))}
    opened = _open_files(process.pid)
    for path in chain:
        if path not in bases or bases[path].inode not in opened:
            raise ClusterlabError(f"{path}, which the disk of {host} is based on, is no longer the file that it uses")
    return SavedHost(own_memory=_own_memory(process), backing=chain[0], bases=bases)


def _open_files(pid: int) -> set[int]:
    """The inodes of what a process has open."""
    files = map(identity, Path(f"/proc/{pid}/fd").iterdir())
    return {file.inode for file in files if file}


def _needs(made: LabFiles, host: str, process: Process) -> HostNeeds:
    """What a machine is, out of what its QEMU was started with.

    The inventory may say something else by now.
    """
    said = dict(zip(process.arguments, process.arguments[1:], strict=False))
    return HostNeeds(
        address=made.address(host),
        memory=said["-m"],
        cpus=int(said["-smp"]),
        image=Path(said["-kernel"]).parent.name,
    )


def _own_memory(process: Process) -> bool:
    return any("id=memory," in argument for argument in process.arguments)


def backing_chain(disk: Path) -> list[Path]:
    """The files that a disk stands on: its own backing file first, then what that stands on."""
    command = ["qemu-img", "info", "--backing-chain", "--output=json", str(disk)]
    done = run_program(command, 60)
    if done.exit != 0:
        raise ClusterlabError(f"{disk} was saved and cannot be read", detail=done.stderr)
    return [Path(one["filename"]) for one in json.loads(done.stdout)[1:]]

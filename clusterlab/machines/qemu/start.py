"""Starting QEMU: a machine that boots, and a clone that goes on where a saved machine stopped."""

from __future__ import annotations

import os
import shlex
import threading
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.programs import run_program
from clusterlab.waiting import seconds_left, wait_until

from .command import MachineSpec, command_line
from .qmp import Monitor, monitor
from .seed import GROWN

_RUN_SECONDS = 60.0


class PortTaken(ClusterlabError):
    """Somebody else took the port between its choice and QEMU's start."""


def make_disk(spec: MachineSpec, backing: Path, form: str) -> None:
    """Make the machine's disk, which holds what differs from `backing`."""
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", form, "-b", str(backing), str(spec.disk)]
    _run(command, spec.folder, f"{spec.name}: its disk could not be made")


def start(spec: MachineSpec) -> None:
    """Start the machine's QEMU in the background; it outlives this process.

    Raises PortTaken when its port is no longer free, ClusterlabError with QEMU's words for everything else.
    """
    spec.log.unlink(missing_ok=True)
    (spec.folder / "qmp").unlink(missing_ok=True)
    try:
        _run([*command_line(spec), "-daemonize"], spec.folder, f"{spec.name}: QEMU did not start", spec.log)
    except ClusterlabError as error:
        if "host forwarding rule" in error.detail:
            raise PortTaken(f"port {spec.port} was taken by another program", detail=error.detail) from error
        raise


def load(spec: MachineSpec, state: Path, stop: threading.Event, deadline: float) -> None:
    """Load a saved machine into the waiting QEMU of a clone, let it run, and have it notice its own seed disk."""
    try:
        with monitor(spec.folder, timeout=60.0) as qemu:
            leave_file_memory_out(qemu)
            qemu.execute("migrate-incoming", uri=f"exec:exec cat < {shlex.quote(str(state))}")
            loaded = lambda: qemu.execute("query-status")["status"] != "inmigrate"  # noqa: E731
            wait_until(loaded, "QEMU to load the saved machine", seconds_left(deadline), subject=spec.name, stop=stop)
            qemu.execute("cont")
            qemu.execute("block_resize", device="seed", size=GROWN)
    except OSError as error:
        raise ClusterlabError(
            f"{spec.name}: QEMU ended while it loaded the saved machine", detail=f"{error}\n{tail(spec.log)}"
        ) from error


def leave_file_memory_out(qemu: Monitor) -> None:
    """Save or load a machine's state without its memory, which is in a file of its own."""
    qemu.execute("migrate-set-capabilities", capabilities=[{"capability": "x-ignore-shared", "state": True}])


def tail(file: Path, size: int = 3000) -> str:
    """The end of a log file, or nothing when there is none."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - size))
            return stream.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def _run(command: list[str], folder: Path, failure: str, log: Path | None = None) -> None:
    """Run a command that ends soon, in a session of its own: Ctrl-C does not reach what it leaves running."""
    done = run_program(command, _RUN_SECONDS, cwd=folder)
    if done.exit != 0:
        words = "\n".join(part for part in (done.stderr.strip(), tail(log).strip() if log else "") if part)
        raise ClusterlabError(failure, remedy="see its words; is there room on the disk?", detail=words)

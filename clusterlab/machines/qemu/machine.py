"""One host's machine: its files, and its life from nothing to answering over SSH."""

from __future__ import annotations

import shutil
import socket
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.machines.base import MachineStatus
from clusterlab.machines.ssh_banner import greets
from clusterlab.progress import Task
from clusterlab.remote.target import Target

from .launch import MachineSpec, Memory, PortTaken, load, make_disk, start
from .processes import Process, end, processes_in
from .readiness import run_state, wait_for_ssh, why_ended
from .saved_machine import SavedMachine
from .seed import Identity, write_seed

_ATTEMPTS = 5


@dataclass(frozen=True)
class Machine:
    """The machine of one host, in a folder of its own."""

    host: str
    folder: Path

    @property
    def _ready(self) -> Path:
        """A file that exists once the machine has answered.

        A machine without it is half created.
        """
        return self.folder / "ready"

    @property
    def is_made(self) -> bool:
        return self._ready.exists()

    @property
    def process(self) -> Process | None:
        """Its QEMU."""
        return next((process for process in processes_in(self.folder) if process.machine == self.host), None)

    def status(self, port: int | None) -> MachineStatus:
        process = self.process
        if process is None:
            if not self.folder.exists():
                return MachineStatus(self.host, "absent")
            return MachineStatus(self.host, "stopped", why_ended(self.folder) if self.is_made else "up was interrupted")
        where = f"127.0.0.1 port {port}, QEMU process {process.pid}"
        if not self.is_made:
            return MachineStatus(self.host, "starting", where)
        if port is None or not greets("127.0.0.1", port, 10.0):
            return MachineStatus(self.host, "unreachable", f"no answer over SSH at {where}; {run_state(self.folder)}")
        return MachineStatus(self.host, "running", where)

    def remove(self) -> None:
        """End its QEMU and remove all its files."""
        self.stop()
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def stop(self) -> None:
        """End its QEMU at once, as when the power fails.

        Raises ClusterlabError when it cannot be ended.
        """
        left = end(processes_in(self.folder))
        if left:
            raise ClusterlabError(f"{self.host}: QEMU process {left[0].pid} cannot be ended")

    def clone(
        self, spec: MachineSpec, saved: SavedMachine, identity: Identity, stop: threading.Event, deadline: float
    ) -> int:
        """Make the machine as a clone of a saved one; the port that its SSH has."""
        self.make_folder()
        spec = replace(spec, memory=Memory(saved.memory, shared=False), incoming=True)
        make_disk(spec, saved.disk, "qcow2")
        write_seed(spec.seed, identity)
        port = _start(spec)
        load(spec, saved.state, stop, deadline)
        return port

    def boot(self, spec: MachineSpec, identity: Identity) -> int:
        """Make the machine and boot it; the port that its SSH has."""
        self.make_folder()
        make_disk(spec, spec.image.disk, "raw")
        write_seed(spec.seed, identity)
        return _start(spec)

    def boot_again(self, spec: MachineSpec) -> int:
        """Boot a machine that was made before, with all it has on its disk.

        The port that its SSH has.
        """
        self.stop()
        return _start(spec)

    def start_waiting(self, spec: MachineSpec) -> int:
        """Start QEMU with nothing running: it waits for a saved state.

        The port that its SSH has.
        """
        return _start(replace(spec, incoming=True))

    def wait(self, target: Target, task: Task, stop: threading.Event, deadline: float) -> None:
        """Wait until it answers; from then on it counts as made."""
        self.wait_for_answer(target, task, stop, deadline)
        self.mark_made()

    def wait_for_answer(self, target: Target, task: Task, stop: threading.Event, deadline: float) -> None:
        """Wait until it answers. It counts as made only when it is marked so, too."""
        process = self.process
        if process is None:
            raise ClusterlabError(f"{self.host}: {why_ended(self.folder)}")
        wait_for_ssh(target, process, self.folder, task, stop, deadline)

    def mark_made(self) -> None:
        """From now on it counts as made."""
        self._ready.touch()

    def collect(self, folder: Path) -> None:
        """Copy its console and QEMU's log into `folder`."""
        for name in ("console.log", "qemu.log"):
            if (self.folder / name).exists():
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.folder / name, folder / name)

    def make_folder(self) -> None:
        """Begin anew with an empty folder, for this user alone."""
        self.remove()
        self.folder.mkdir(mode=0o700, parents=True)


def free_port() -> int:
    """A loopback port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start(spec: MachineSpec) -> int:
    """Start QEMU on its port, or on another one when that is taken."""
    for _ in range(_ATTEMPTS):
        port = spec.port or free_port()
        try:
            start(replace(spec, port=port))
        except PortTaken:
            spec = replace(spec, port=None)
        else:
            return port
    raise ClusterlabError(f"{spec.name}: no free port on 127.0.0.1 was found in {_ATTEMPTS} attempts")

"""The virtual machines of one lab."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from clusterlab.capabilities import ALL_CAPABILITIES, Capabilities
from clusterlab.errors import ClusterlabError
from clusterlab.machines.base import MachineStatus
from clusterlab.machines.failed_up import undone_on_failure
from clusterlab.model.lab import Lab
from clusterlab.parallel import parallel, results_of
from clusterlab.progress import Progress, Silent
from clusterlab.remote.target import Target

from .accelerator import accelerator
from .files import LabFiles
from .kind import QEMU
from .outside import QemuOutside
from .processes import end, processes_in
from .saved_lab import QemuSavedLab
from .snapshots import QemuSnapshots
from .up import bring_up


class QemuMachines:
    """Virtual machines without root.

    Each a QEMU process, reached through a port on loopback, on a LAN of their own.
    """

    kind = QEMU

    def __init__(self, lab: Lab, *, clones: bool = True) -> None:
        """`clones`: start new machines as clones of a saved one where possible.

        Instead of booting them.
        """
        self._files = LabFiles(lab.name, lab.inventory, lab.folder)
        self._clones = clones

    def up(self, progress: Progress, keep: bool = False) -> None:
        """Make every host exist and answer over SSH.

        Running ones stay as they are, half-created ones are recreated.

        When that fails, logs are collected and what was new is removed, unless `keep`. After an interrupt everything
        is left as it is: the next `up` goes on from there, and `down` removes it.
        """
        accelerator()  # says at once what is not installed
        with self._files.state.lock("up"):
            made_before = {host for host, machine in self._files.machines.items() if machine.is_made}
            with undone_on_failure(
                self._files.state,
                lambda folder: self.collect(folder, progress),
                lambda: self._remove_new(made_before),
                keep=keep,
            ):
                bring_up(self._files, self._clones, progress)

    def down(self, progress: Progress) -> None:
        with self._files.state.lock("down"), progress.task(self._files.lab, "removing its machines"):
            self._remove_all()

    def status(self) -> list[MachineStatus]:
        ports = self._files.ports
        machines = self._files.machines.values()
        statuses = results_of(parallel(lambda machine: machine.status(ports.get(machine.host)), machines))
        if self._files.lan.is_up:
            return statuses
        gone = "the LAN's switch has ended: run up"
        return [
            replace(status, detail=f"{status.detail}; {gone}") if status.state == "running" else status
            for status in statuses
        ]

    def targets(self) -> dict[str, Target]:
        missing = [host for host, machine in self._files.machines.items() if not machine.is_made]
        if missing:
            raise ClusterlabError(
                f"lab {self._files.lab} is not up: no {', '.join(missing)}", remedy="bring it up: clusterlab up"
            )
        return {host: self._files.target(host, self._files.ports[host]) for host in self._files.machines}

    def collect(self, folder: Path, progress: Progress) -> None:
        for host, machine in self._files.machines.items():
            machine.collect(folder / host)

    def unsupported(self) -> Capabilities:
        return ALL_CAPABILITIES  # they have a kernel of their own, with all its modules

    @property
    def snapshots(self) -> QemuSnapshots:
        """Saved states of all machines of the lab."""
        return QemuSnapshots(self._files)

    @property
    def saved_lab(self) -> QemuSavedLab:
        """The lab as it was saved when it was provisioned."""
        return QemuSavedLab(self._files)

    @property
    def outside(self) -> QemuOutside:
        """The machines from outside, for faults."""
        return QemuOutside(self._files, lambda: self.up(Silent()))

    def _remove_new(self, made_before: set[str]) -> None:
        if not made_before:
            self._remove_all()
            return
        for host, machine in self._files.machines.items():
            if host not in made_before:
                machine.remove()

    def _remove_all(self) -> None:
        left = end(processes_in(self._files.state.folder))
        if left:
            pids = ", ".join(str(process.pid) for process in left)
            raise ClusterlabError(
                f"lab {self._files.lab}: processes that cannot be ended: {pids}",
                remedy="see what they wait for: ps -o pid,stat,wchan,args -p PID; then run down again",
            )
        self._files.lan.stop()
        self._files.state.remove()

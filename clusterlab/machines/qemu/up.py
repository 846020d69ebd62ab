"""Bringing up the machines of a lab, all at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from clusterlab.build.machine_image import MachineImage
from clusterlab.errors import ClusterlabError
from clusterlab.machines.failed_up import os_errors
from clusterlab.machines.ssh_banner import greets
from clusterlab.parallel import parallel, results_of
from clusterlab.progress import Progress, Task

from .accelerator import accelerator
from .files import LabFiles
from .launch import MachineSize
from .machine import Machine
from .processes import end, processes_in
from .restoring import undo_interrupted
from .saved_machine import SavedMachine, saved_machine

_Basis = tuple[MachineImage, MachineSize]
"""What a saved machine and its clones have in common."""


def bring_up(files: LabFiles, clones: bool, progress: Progress) -> None:
    """Make every machine of the lab exist and answer.

    Raises ClusterlabError saying which do not, and why.
    """
    _refuse_changed_hosts(files)
    undo_interrupted(files, progress)
    files.build_images(progress)
    files.write_record({})
    files.keys.write_known_hosts(list(files.machines))
    remove_surplus(files, progress)
    start_lan(files, progress)
    new = [host for host, machine in files.machines.items() if not machine.is_made]
    saved = _saved_machines(files, new, progress) if clones else {}
    _in_parallel(_Starter(files, saved, progress))


class _Starter:
    """Starts one machine after the other, or many at once.

    Setting `stop` ends all their waits.
    """

    def __init__(self, files: LabFiles, saved: Mapping[_Basis, SavedMachine], progress: Progress) -> None:
        self.files = files
        self.stop = threading.Event()
        self._saved = saved
        self._progress = progress
        self._deadline = time.monotonic() + files.settings.boot_timeout

    def bring_up(self, machine: Machine) -> None:
        """Bring up one machine, whatever there is of it already."""
        port = self.files.ports.get(machine.host)
        if machine.is_made and machine.process and port:
            if not greets("127.0.0.1", port, 10.0):
                with self._progress.task(machine.host, "waiting until it answers again") as task:
                    self._wait(machine, port, task)
            return
        with os_errors(machine.host), self._progress.task(machine.host, self._doing(machine)) as task:
            self._wait(machine, self._start(machine), task)

    def _doing(self, machine: Machine) -> str:
        if machine.is_made:
            return "booting it again, it had stopped"
        return "cloning a saved machine" if _basis(self.files, machine.host) in self._saved else "booting"

    def _start(self, machine: Machine) -> int:
        spec = self.files.spec(machine.host)
        saved = self._saved.get(_basis(self.files, machine.host))
        if machine.is_made:
            port = machine.boot_again(spec)
        elif saved:
            port = machine.clone(spec, saved, self.files.identity(machine.host), self.stop, self._deadline)
        else:
            port = machine.boot(spec, self.files.identity(machine.host))
        self.files.write_record({machine.host: port})
        return port

    def _wait(self, machine: Machine, port: int, task: Task) -> None:
        machine.wait(self.files.target(machine.host, port), task, self.stop, self._deadline)


def _in_parallel(starter: _Starter) -> None:
    """Bring up all machines.

    One that fails does not end the others, an interrupt ends all waits.
    """
    machines = list(starter.files.machines.values())
    results_of(parallel(starter.bring_up, machines, limit=len(machines), name="machine", stop=starter.stop))


def _basis(files: LabFiles, host: str) -> _Basis:
    return files.image(host), files.size(host)


def _saved_machines(files: LabFiles, hosts: list[str], progress: Progress) -> dict[_Basis, SavedMachine]:
    """A saved machine of each release and size that `hosts` have.

    Where none can be made, that is said, and machines boot.
    """
    saved = {}
    for image, size in dict.fromkeys(_basis(files, host) for host in hosts):
        try:
            saved[image, size] = saved_machine(image, size, accelerator(), files.settings.boot_timeout, progress)
        except ClusterlabError as error:
            text = f"none with {size.memory} and {size.cpus} CPU can be created, machines boot instead: {error.message}"
            progress.say("saved machine", f"{text}\n{error.detail}".rstrip())
    return saved


def start_lan(files: LabFiles, progress: Progress) -> None:
    """Start the LAN's switch, unless it runs."""
    if files.lan.is_up:
        return
    stranded = processes_in(files.state.folder)
    if stranded:
        hosts = sorted(process.machine for process in stranded if process.machine)
        progress.say(files.lab, f"the LAN's switch had ended: {', '.join(hosts)} are booted again")
        end(stranded)
    files.lan.start()


def _refuse_changed_hosts(files: LabFiles) -> None:
    """A machine keeps its address, and the release that is on its disk."""
    record = files.state.read()
    before = record.inventory if record else files.inventory
    for host, machine in files.machines.items():
        if not machine.is_made or host not in before.hosts:
            continue
        for what, (was, now) in {
            "address": (before.hosts[host].address, files.inventory.hosts[host].address),
            "release": (before.release_of(host), files.inventory.release_of(host)),
        }.items():
            if was != now:
                raise ClusterlabError(
                    f"{host} was created with the {what} {was}, and the inventory now says {now}",
                    remedy="recreate it: clusterlab down, then clusterlab up",
                )


def remove_surplus(files: LabFiles, progress: Progress) -> None:
    """Remove machines of hosts that the inventory no longer has."""
    hosts = files.state.host_folder("any").parent
    for folder in sorted(hosts.iterdir()) if hosts.exists() else ():
        if folder.name not in files.machines:
            progress.say(folder.name, "is no longer in the inventory: removing it")
            Machine(folder.name, folder).remove()

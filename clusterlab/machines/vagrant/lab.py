"""The machines of one lab that Vagrant makes, or has made."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from functools import cached_property, partial
from pathlib import Path

from clusterlab.capabilities import ALL_CAPABILITIES, Capabilities
from clusterlab.errors import ClusterlabError
from clusterlab.machines.base import MachineStatus, State
from clusterlab.machines.failed_up import undone_on_failure
from clusterlab.machines.over_ssh import collect_journals, lacking
from clusterlab.machines.paths import known_labs
from clusterlab.machines.record import Record, UnreadableRecord
from clusterlab.machines.state import LabState
from clusterlab.model.lab import Lab
from clusterlab.parallel import parallel, results_of
from clusterlab.progress import Progress
from clusterlab.remote.target import Target

from . import boxes, libvirt
from .folder import MachineIds, machine_name, vagrant_folder
from .kind import VAGRANT, VagrantSettings
from .program import Vagrant
from .requirements import require
from .status import answers, states, wait_until_answers
from .tasks import following
from .trust import SshSettings, TakenOver, parse_ssh_config


class VagrantMachines:
    """The machines of one lab; see `clusterlab.machines.base.Machines`.

    Vagrant decides what exists: machines that were created with it manually are found, and never created twice.
    """

    kind = VAGRANT

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._inventory = lab.inventory
        self._settings = lab.inventory.section(VagrantSettings)
        self._provider = self._settings.provider
        self._hosts = list(lab.inventory.hosts)
        self._state = LabState(lab.name)
        self._taken = TakenOver(self._state)

    def up(self, progress: Progress, keep: bool = False) -> None:
        """Make every host exist and answer over SSH.

        Running ones stay as they are, half-created ones are recreated.

        When that fails, logs are collected and what was new is removed, unless `keep`. After an interrupt everything
        is left as it is: the next `up` goes on from there, and `down` removes it.
        """
        require(self._provider)
        with self._state.lock("up"):
            self._refuse_doubled()
            self._refuse_changed()
            self._remove_surplus(progress)
            self._write_record()
            with progress.task(self._lab.name, "listing the machines of Vagrant"):
                found = self._states()
            found = self._remove_half_made(found, progress)
            new = [host for host in self._hosts if found[host] == "absent"]
            if new and self._provider == "libvirt":
                libvirt.make_room(self._lab.name, self._names(new), self._folder, progress)
            with undone_on_failure(
                self._state,
                lambda folder: self.collect(folder, progress),
                lambda: self._remove_new(new, progress),
                keep=keep,
            ):
                self._make(new, [host for host in self._hosts if found[host] != "running"], progress)
                self._take_over(self._hosts, progress)

    def down(self, progress: Progress) -> None:
        with self._state.lock("down"), progress.task(self._lab.name, "removing its machines"):
            self._remove_all()

    def status(self) -> list[MachineStatus]:
        said = states(self._vagrant, self._names_by_host)
        return results_of(parallel(lambda host: self._status(host, *said[host]), self._hosts))

    def _status(self, host: str, state: State, word: str) -> MachineStatus:
        name = self._machines.name(host)
        if state != "running":
            detail = "" if state == "absent" else f"Vagrant's {name}: {word.replace('_', ' ')}"
            return MachineStatus(host, state, detail)
        settings = self._taken.settings(host, self._machines.id(host))
        if settings is None:
            if self._taken.is_begun(host):
                return MachineStatus(host, "starting", "up was interrupted: run up")
            return MachineStatus(host, "running", f"Vagrant's {name}, created manually")
        where = f"{settings.user}@{settings.address}:{settings.port}, Vagrant's {name}"
        if not answers(settings):
            return MachineStatus(host, "unreachable", f"no answer over SSH: {where}; run up")
        return MachineStatus(host, "running", where)

    def targets(self) -> dict[str, Target]:
        absent = [host for host in self._hosts if not self._machines.id(host)]
        if absent:
            raise ClusterlabError(
                f"lab {self._lab.name} is not up: Vagrant has no {', '.join(absent)} ({self._folder})",
                remedy="bring it up: clusterlab up, or vagrant up in that folder",
            )
        known = {host: self._taken.settings(host, self._machines.id(host)) for host in self._hosts}
        unknown = [host for host, settings in known.items() if settings is None]
        if unknown:
            self._write_record()
            known |= self._take_over(unknown)
        return {host: self._taken.target(host, settings) for host, settings in known.items() if settings}

    def collect(self, folder: Path, progress: Progress) -> None:
        """Vagrant's output, and libvirt's description and log of each machine.

        With the journals of those that answer.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if self._log.exists():
            shutil.copy(self._log, folder / "vagrant.log")
        known = {host: self._taken.settings(host, self._machines.id(host)) for host in self._hosts}
        for host in self._hosts:
            (folder / host).mkdir(exist_ok=True)
            if self._provider == "libvirt" and self._machines.id(host):
                libvirt.collect(libvirt.domain_name(self._machines.name(host)), folder / host)
        reached = {host: self._taken.target(host, one) for host, one in known.items() if one and answers(one)}
        with progress.task(self._lab.name, "collecting journals"):
            collect_journals(reached, folder, progress)

    def unsupported(self) -> Capabilities:
        """Nothing with clusterlab's own box, whose kernel has all modules.

        Those of others are probed.
        """
        return lacking(self.targets()) if self._settings.box else ALL_CAPABILITIES

    @cached_property
    def _folder(self) -> Path:
        return vagrant_folder(self._lab)

    @cached_property
    def _machines(self) -> MachineIds:
        return MachineIds(self._folder, self._lab.name, self._provider)

    @property
    def _log(self) -> Path:
        return self._state.folder / "vagrant.log"

    @cached_property
    def _vagrant(self) -> Vagrant:
        return Vagrant(self._folder, self._inventory, self._log)

    def _states(self) -> dict[str, State]:
        return {host: state for host, (state, _) in states(self._vagrant, self._names_by_host).items()}

    @property
    def _names_by_host(self) -> dict[str, str]:
        return {host: self._machines.name(host) for host in self._hosts}

    def _names(self, hosts: Iterable[str]) -> list[str]:
        return [self._machines.name(host) for host in hosts]

    def _make(self, new: list[str], stopped: list[str], progress: Progress) -> None:
        """Have Vagrant make the new machines, and start those that do not run."""
        if new:
            if self._settings.box is None:
                boxes.Boxes(self._lab).add(progress)
            for host in new:
                self._taken.begin(host)
        if stopped:
            hosts = {self._machines.name(host): host for host in stopped}
            words = ("up", *hosts, "--provider", self._provider, "--no-destroy-on-error")
            with following(progress, hosts, "Vagrant makes it" if new else "Vagrant starts it") as tasks:
                self._vagrant.run(*words, on_event=tasks)

    def _take_over(self, hosts: list[str], progress: Progress | None = None) -> dict[str, SshSettings | None]:
        """Learn how running machines are reached, and their keys.

        Raises ClusterlabError for half-created ones.
        """
        said = parse_ssh_config(self._vagrant.text("ssh-config", *self._names(hosts)))
        settings = {host: said[self._machines.name(host)] for host in hosts}
        for host in hosts:
            if progress and self._taken.settings(host, self._machines.id(host)) is None:
                progress.say(host, f"recording its SSH settings and host key from Vagrant ({settings[host].address})")
        results_of(parallel(partial(self._meet, settings), hosts, name="machine"))
        return dict(settings)

    def _meet(self, settings: dict[str, SshSettings], host: str) -> None:
        wait_until_answers(host, settings[host], self._settings.boot_timeout)
        remedy = f"recreate it: vagrant destroy -f {self._machines.name(host)} (in {self._folder}), then clusterlab up"
        if self._taken.is_begun(host):
            remedy = "run clusterlab up, which recreates it"
        address = str(self._inventory.hosts[host].address)
        self._taken.meet(host, self._machines.id(host), settings[host], address, remedy=remedy)

    def _refuse_changed(self) -> None:
        """Raise ClusterlabError when existing machines cannot become what is wanted.

        That is what the inventory now says.
        """
        before = self._state.read()
        if before and before.kind != self.kind.name:
            raise ClusterlabError(
                f"lab {self._lab.name} already exists, made of {before.kind} machines",
                remedy=f"bring it down first: clusterlab down --lab {self._lab.name}, or give this one another name",
            )
        for host in self._hosts:
            if other := self._machines.other_provider(host):
                name = self._machines.name(host)
                raise ClusterlabError(
                    f"{host} was created with the provider {other}, and the inventory now says {self._provider}",
                    remedy=f"remove it first: vagrant destroy -f {name} (in {self._folder}), then run up again",
                )
            was = before.inventory.hosts.get(host) if before and self._machines.id(host) else None
            if was and was.address != self._inventory.hosts[host].address:
                raise ClusterlabError(
                    f"{host} was created with the address {was.address}, and the inventory now says "
                    f"{self._inventory.hosts[host].address}",
                    remedy="recreate it: clusterlab down, then clusterlab up",
                )

    def _remove_surplus(self, progress: Progress) -> None:
        """Remove machines of hosts that the inventory no longer has."""
        before = self._state.read()
        gone = [host for host in before.inventory.hosts if host not in self._hosts] if before else []
        gone = [host for host in gone if self._machines.id(host)]
        if before and gone:
            earlier = VagrantMachines(Lab(before.inventory, folder=before.folder))
            for host in gone:
                progress.say(host, "is no longer in the inventory: removing it")
            earlier._destroy(gone)

    def _remove_half_made(self, found: dict[str, State], progress: Progress) -> dict[str, State]:
        """Remove what an interrupted `up` left half created.

        Returns the states afterwards.
        """
        half = [host for host, state in found.items() if state != "absent" and self._taken.is_begun(host)]
        for host in half:
            progress.say(host, "was half created by an interrupted up: recreating it")
        self._destroy(half)
        return {host: "absent" if host in half else state for host, state in found.items()}

    def _remove_new(self, hosts: list[str], progress: Progress) -> None:
        if not hosts:
            return
        with progress.task(self._lab.name, "removing what was new"):
            if len(hosts) == len(self._hosts):
                self._remove_all()
            else:
                self._destroy(hosts)

    def _destroy(self, hosts: list[str]) -> None:
        """Have Vagrant remove those of these that it has.

        Raises ClusterlabError, once they are removed, for machines of these names that the lab neither created nor took
        over: a person's, or those of another lab (its name and a host's may together be the same).
        """
        there = [host for host in hosts if self._machines.id(host)]
        ours = [host for host in there if self._is_ours(host)]
        if ours:
            self._vagrant.run("destroy", "--force", *self._names(ours))
        for host in hosts:
            self._taken.forget(host)
        if foreign := self._names(host for host in there if host not in ours):
            raise ClusterlabError(
                f"Vagrant has {', '.join(foreign)}, which lab {self._lab.name} neither created nor took over",
                remedy="if nobody needs it any more, remove it, and run down again: "
                f"vagrant destroy -f {' '.join(foreign)} (in {self._folder})",
            )

    def _is_ours(self, host: str) -> bool:
        """Whether an existing machine was created by the lab, or taken over by it."""
        return self._taken.is_begun(host) or self._taken.settings(host, self._machines.id(host)) is not None

    def _refuse_doubled(self) -> None:
        """Raise ClusterlabError when Vagrant would call a machine what it calls one of another lab."""
        names = set(self._names(self._hosts))
        for lab in known_labs():
            try:
                record = LabState(lab).read() if lab != self._lab.name else None
            except UnreadableRecord:
                continue
            if record is None or record.kind != self.kind.name:
                continue
            if doubled := names & {machine_name(lab, host) for host in record.inventory.hosts}:
                raise ClusterlabError(
                    f"lab {lab} has a machine that Vagrant calls {min(doubled)}, as it would one of lab "
                    f"{self._lab.name}",
                    remedy="rename one of the labs, or the host",
                )

    def _remove_all(self) -> None:
        self._destroy(self._hosts)
        if self._provider == "libvirt":
            libvirt.remove_rest(self._lab.name, self._names(self._hosts))
        self._state.remove()

    def _write_record(self) -> None:
        self._state.write(Record.of(self._inventory, self._lab.folder))

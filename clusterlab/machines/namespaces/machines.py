"""Labs of kind `namespaces`.

Real engines on this kernel, in seconds, without virtual machines. Needs root.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Set
from functools import cached_property
from pathlib import Path
from threading import Event

from clusterlab.build.cache import artefact
from clusterlab.build.rootfs import machine_rootfs
from clusterlab.capabilities import Capabilities
from clusterlab.errors import ClusterlabError
from clusterlab.machines.base import MachineStatus
from clusterlab.machines.failed_up import os_errors, undone_on_failure
from clusterlab.machines.keys import LabKeys
from clusterlab.machines.record import Record
from clusterlab.machines.state import LabState
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.parallel import parallel, results_of
from clusterlab.programs import run_program
from clusterlab.progress import Progress, Silent
from clusterlab.remote.target import Target

from . import cgroups, kernel, neighbours, processes
from .changing import NamespacesChanging
from .host import NamespacesHost
from .kind import NAMESPACES
from .lan import ensure_switch
from .outside import NamespacesOutside
from .shared_limits import near_limits

_AT_ONCE = 4  # hosts started at the same time
_KILL_SECONDS = 20.0
_UNPACK_SECONDS = 600.0


class NamespacesMachines:
    """The machines of one lab; see `clusterlab.machines.base.Machines`."""

    kind = NAMESPACES

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._state = LabState(lab.name)
        self._keys = LabKeys(self._state.folder, lab.name)

    def up(self, progress: Progress, keep: bool = False) -> None:
        """Make every host exist and answer over SSH, and the engine of every Docker host.

        Running ones are kept.

        When it fails, logs are collected and what this call made is removed, unless `keep`.
        """
        self._require()
        trees = self._trees(progress)
        with self._state.lock("up"):
            before, record = self._state.read(), self._record_for_up()
            running = {name for name, host in self._hosts.items() if host.pid}
            with undone_on_failure(
                self._state,
                lambda folder: self.collect(folder, progress),
                lambda: self._undo(running, whole_lab=before is None),
                keep=keep,
            ):
                self._state.write(record)
                self._remove_others(progress)
                self._keys.write_known_hosts(list(self._hosts))
                if refused := neighbours.make_room(self._state.folder, len(self._hosts)):
                    progress.say(self._lab.name, refused)
                self._start_all(trees, record, progress)
            if len(running) < len(self._hosts):
                for sentence in near_limits(len(self._hosts)):
                    progress.say(self._lab.name, sentence)

    def _trees(self, progress: Progress) -> Mapping[str, Path]:
        """The root file system of each host."""
        inventory = self._lab.inventory
        releases = dict.fromkeys(map(inventory.release_of, inventory.hosts))
        made = {release: machine_tree(release, progress) for release in releases}
        return {name: made[inventory.release_of(name)] for name in inventory.hosts}

    def _start_all(self, trees: Mapping[str, Path], record: Record, progress: Progress) -> None:
        switch = ensure_switch(self._state.folder, record.ports)
        self._state.write(record.model_copy(update={"ports": switch.ports}))
        stop = Event()

        def start(host: NamespacesHost) -> None:
            with os_errors(host.name), progress.task(host.name, "starting") as task:
                if host.pid is None:
                    host.start(trees[host.name], self._keys)
                else:
                    host.refresh_names()
                host.plug_in(switch.pid)
                task.update("waiting for SSH and its engine" if host.serves_docker else "waiting for SSH")
                host.wait_until_ready(switch.ports[host.name], stop)

        results_of(parallel(start, self._hosts.values(), limit=_AT_ONCE, name="machine", stop=stop))

    def _undo(self, keep: set[str], whole_lab: bool) -> None:
        """Remove the hosts that a failed `up` made."""
        if whole_lab:
            self._remove_everything()
            return
        for name, host in self._hosts.items():
            if name not in keep:
                host.remove()

    def down(self, progress: Progress) -> None:
        """Remove every process, namespace, mount, cgroup and file of the lab.

        Whatever an earlier command left.
        """
        _require_root()
        with self._state.lock("down"), progress.task(self._lab.name, "removing its hosts"):
            self._remove_everything()

    def _remove_everything(self) -> None:
        left = [f"process {pid}" for pid in self._kill_everything()]
        left += cgroups.remove(self._cgroup, _KILL_SECONDS)
        if left:
            raise ClusterlabError(
                f"lab {self._lab.name}: these remain: {', '.join(left)}",
                remedy="run down again; a process that cannot be killed waits in the kernel (a dead storage server?)",
            )
        for name in self._hosts_on_disk():
            NamespacesHost(name, self._lab.inventory, self._state.folder).remove()
        self._state.remove()
        neighbours.give_back(self._state.folder)

    def _kill_everything(self) -> list[int]:
        """Kill all processes of the lab.

        NFS servers last, for who has mounted from them unmounts as it ends.
        """
        for name in self._hosts_on_disk():
            cgroups.freeze(f"{self._cgroup}/{name}", False)  # what is stopped cannot be ended
        servers = self._lab.inventory.with_role("nfs_server")
        clients = self._hosts_on_disk().difference(servers)
        if servers and clients:
            processes.kill_all(self._state.folder, _KILL_SECONDS, clients)
        for name in servers:
            NamespacesHost(name, self._lab.inventory, self._state.folder).end_nfs()
        return processes.kill_all(self._state.folder, _KILL_SECONDS)

    def status(self) -> list[MachineStatus]:
        """Every host as it is now."""
        record = self._state.read()
        ports = record.ports if record else {}
        return results_of(parallel(lambda host: _status(host, ports.get(host.name)), self._hosts.values()))

    def targets(self) -> dict[str, Target]:
        """How each host is reached.

        A port on loopback, as root, with the lab's own key and known host keys.
        """
        record = self._state.read()
        missing = [name for name in self._hosts if not record or not record.ports.get(name)]
        if record is None or missing:
            raise ClusterlabError(
                f"lab {self._lab.name} is not up: {', '.join(missing)} not there", remedy="clusterlab up"
            )
        return {
            name: Target(
                name=name,
                address="127.0.0.1",
                port=record.ports[name],
                user="root",
                key=self._keys.user,
                known_hosts=(self._keys.known_hosts,),
                alias=self._keys.alias(name),
                trust_hint="the lab's own keys changed under it: clusterlab down, then up",
            )
            for name in self._hosts
        }

    def collect(self, folder: Path, progress: Progress) -> None:
        """Copy the logs of every host's start and services into `folder`/HOST."""
        with progress.task(self._lab.name, "collecting logs"):
            for name, host in self._hosts.items():
                host.collect(folder / name)

    def unsupported(self) -> Capabilities:
        """What this kernel cannot do for hosts in namespaces, each with the reason."""
        _require_root()
        return Capabilities.missing_everywhere(self._lab.inventory.hosts, self._missing_capabilities)

    @property
    def outside(self) -> NamespacesOutside:
        """The hosts from outside, for faults."""
        return NamespacesOutside(self._hosts, self._state.folder, lambda: self.up(Silent()))

    @property
    def changing(self) -> NamespacesChanging:
        """The hosts as they become those of the inventory, for rehearsals."""
        return NamespacesChanging(self._lab.inventory, self._hosts, self._state, self._keys, machine_tree)

    def memory(self) -> dict[str, int | None]:
        """Bytes of memory that each host uses."""
        return {name: cgroups.memory_in_use(host.cgroup) for name, host in self._hosts.items()}

    @cached_property
    def _missing_capabilities(self) -> dict[str, str]:
        return kernel.missing_capabilities()

    @cached_property
    def _hosts(self) -> dict[str, NamespacesHost]:
        inventory = self._lab.inventory
        return {name: NamespacesHost(name, inventory, self._state.folder) for name in inventory.hosts}

    @property
    def _cgroup(self) -> str:
        return cgroups.lab_cgroup(self._lab.name, self._state.folder)

    def _require(self) -> None:
        _require_root()
        if missing := kernel.missing_tools():
            raise ClusterlabError(
                f"namespaces labs need these programs: {', '.join(missing)}",
                remedy="install them: sudo apt-get install util-linux iproute2 mount tar",
            )
        if kernel.is_overlay(self._state.folder):
            raise ClusterlabError(
                f"{self._state.folder} lies on an overlay file system, where hosts cannot have theirs",
                remedy="set XDG_STATE_HOME to a folder on another file system (ext4, xfs, tmpfs)",
            )

    def _record_for_up(self) -> Record:
        """The record of this lab as it shall be.

        Raises ClusterlabError when what is up cannot become that.
        """
        before = self._state.read()
        wanted = self._lab.inventory
        if before and before.kind != self.kind.name:
            raise ClusterlabError(
                f"lab {wanted.lab} already exists, made of {before.kind} machines",
                remedy=f"bring it down first: clusterlab down, or give this one another name than {wanted.lab}",
            )
        running = {name for name, host in self._hosts.items() if host.pid is not None}
        if before and (changed := _changed(before.inventory, wanted, running)):
            raise ClusterlabError(
                f"lab {wanted.lab} is up with other settings: {', '.join(changed)}",
                remedy="bring it down first: clusterlab down, then up",
            )
        ports = before.ports if before else {}
        return Record.of(wanted, self._lab.folder, {name: ports.get(name, 0) for name in wanted.hosts})

    def _hosts_on_disk(self) -> set[str]:
        """Hosts that have files, those too whose removal was interrupted."""
        folder = self._state.folder / "hosts"
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        return {name.removeprefix(".").removesuffix(".removed") for name in names}

    def _remove_others(self, progress: Progress) -> None:
        """Remove hosts that were up and are no longer in the inventory."""
        for name in sorted(self._hosts_on_disk() - self._hosts.keys()):
            progress.say(name, "no longer in the inventory: removing it")
            NamespacesHost(name, self._lab.inventory, self._state.folder).remove()


def machine_tree(release: str, progress: Progress) -> Path:
    """The unpacked root file system that the hosts of all labs share, read-only.

    cached.
    """
    archive = machine_rootfs(release, progress)

    def unpack(target: Path) -> None:
        with progress.task("rootfs", "unpacking (once)"):
            target.mkdir()
            done = run_program(
                ["tar", "--extract", "--file", str(archive), "--directory", str(target), "--numeric-owner",
                 "--xattrs", "--xattrs-include=*", "--exclude=./dev/*", "--exclude=./boot/*",
                 # links to files of /boot, in newer kernel packages
                 "--exclude=./usr/lib/modules/*/vmlinuz", "--exclude=./usr/lib/modules/*/config"],
                _UNPACK_SECONDS,
            )  # fmt: skip
            if done.exit != 0:
                raise ClusterlabError(f"{archive} could not be unpacked", detail=done.stderr[-2000:])

    return artefact("rootfs-tree", (archive.name,), "", unpack, progress)


def _require_root() -> None:
    if os.geteuid() != 0:
        raise ClusterlabError(
            "labs of kind namespaces need root: they create namespaces, mounts and cgroups on this machine",
            remedy="run the same command with sudo, or use `machines: qemu`, which needs no root",
        )


def _changed(before: Inventory, wanted: Inventory, running: Set[str]) -> list[str]:
    """What `up` does not change in a lab that is up; a host that does not run is started with any release."""
    changed = []
    if before.network.subnet != wanted.network.subnet:
        changed.append(f"subnet {before.network.subnet}, now {wanted.network.subnet}")
    if before.network.mtu != wanted.network.mtu:
        changed.append(f"MTU {before.network.mtu or 1500}, now {wanted.network.mtu or 1500}")
    for name in before.hosts.keys() & wanted.hosts.keys():
        old, new = before.hosts[name], wanted.hosts[name]
        if old.address != new.address:
            changed.append(f"address of {name} {old.address}, now {new.address}")
        if name in running and before.release_of(name) != wanted.release_of(name):
            changed.append(f"release of {name} {before.release_of(name)}, now {wanted.release_of(name)}")
    return sorted(changed)


def _status(host: NamespacesHost, port: int | None) -> MachineStatus:
    pid = host.pid
    if pid is None:
        return MachineStatus(host.name, "stopped" if host.folder.exists() else "absent")
    if port and host.answers_ssh(port):
        return MachineStatus(host.name, "running", f"process {pid}, SSH on 127.0.0.1:{port}")
    return MachineStatus(host.name, "unreachable", f"process {pid} runs, but SSH does not answer on 127.0.0.1:{port}")

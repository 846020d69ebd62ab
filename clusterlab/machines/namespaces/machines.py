"""Labs of kind `namespaces`: real engines on this kernel, in seconds, without virtual machines. Needs root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from clusterlab.build.cache import artefact
from clusterlab.build.rootfs import machine_rootfs
from clusterlab.errors import ClusterlabError, Several
from clusterlab.machines.base import MachineStatus
from clusterlab.machines.keys import LabKeys
from clusterlab.machines.state import LabState, Record
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.progress import Progress
from clusterlab.remote.target import Target

from . import cgroups, kernel, processes
from .host import NamespacesHost

_AT_ONCE = 4  # hosts started at the same time
_KILL_SECONDS = 20.0


class NamespacesMachines:
    """The machines of one lab; see `clusterlab.machines.base.Machines`."""

    kind = "namespaces"

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._state = LabState(lab.name)
        self._keys = LabKeys(self._state.folder, lab.name)

    def up(self, progress: Progress) -> None:
        """Make every host exist and answer over SSH, and the engine of every Docker host; running ones are kept."""
        self._require(progress)
        tree = machine_tree(self._lab.inventory.qemu.release, progress)
        with self._state.lock("up"):
            record = self._record_for_up()
            self._state.write(record)
            self._remove_hosts(set(self._existing_hosts()) - set(self._hosts), progress)
            self._keys.write_known_hosts(list(self._hosts))
            switch, record = self._ensure_switch(record)

            def start(host: NamespacesHost) -> None:
                with progress.task(host.name, "starting") as task:
                    if host.pid is None:
                        host.start(tree, self._keys)
                    else:
                        host.refresh_names()
                    host.plug_in(switch)
                    task.update("waiting for SSH and its engine" if host.serves_docker else "waiting for SSH")
                    host.wait_until_ready(record.ports[host.name])

            _all(start, self._hosts.values())

    def down(self, progress: Progress) -> None:
        """Remove every process, namespace, mount, cgroup and file of the lab, whatever an earlier command left."""
        _require_root()
        with self._state.lock("down"), progress.task(self._lab.name, "removing its hosts"):
            left = [f"process {pid}" for pid in processes.kill_all(self._state.folder, _KILL_SECONDS)]
            left += cgroups.remove(self._cgroup, _KILL_SECONDS)
            self._state.remove()
            if left:
                raise ClusterlabError(
                    f"lab {self._lab.name}: this is left: {', '.join(left)}",
                    remedy="run down again; a process that cannot be killed waits for the kernel (a dead NFS server?)",
                )

    def status(self) -> list[MachineStatus]:
        """Every host as it is now."""
        record = self._state.read()
        ports = record.ports if record else {}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda host: _status(host, ports.get(host.name)), self._hosts.values()))

    def targets(self) -> dict[str, Target]:
        """How each host is reached: a port on loopback, as root, with the lab's own key and known host keys."""
        record = self._state.read()
        missing = [name for name in self._hosts if not record or name not in record.ports]
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

    def unsupported(self) -> dict[str, str]:
        """What this kernel cannot do for hosts in namespaces, each with the reason."""
        _require_root()
        return dict(self._missing_capabilities)

    def memory(self) -> dict[str, int | None]:
        """Bytes of memory that each host uses."""
        return {name: cgroups.memory_in_use(self._cgroup, name) for name in self._hosts}

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

    def _require(self, progress: Progress) -> None:
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
        """The record of this lab as it shall be; raises ClusterlabError when what is up cannot become that."""
        before = self._state.read()
        wanted = self._lab.inventory
        if before and before.kind != self.kind:
            raise ClusterlabError(
                f"lab {wanted.lab} is there already, made of {before.kind} machines",
                remedy=f"bring it down first: clusterlab down, or give this one another name than {wanted.lab}",
            )
        if before and (changed := _changed(before.inventory, wanted)):
            raise ClusterlabError(
                f"lab {wanted.lab} is up with other settings: {', '.join(changed)}",
                remedy="bring it down first: clusterlab down, then up",
            )
        ports = before.ports if before else {}
        return Record(
            kind=self.kind,
            inventory=wanted,
            folder=self._lab.folder.absolute(),
            ports={name: ports.get(name, 0) for name in wanted.hosts},
        )

    def _ensure_switch(self, record: Record) -> tuple[int, Record]:
        """The process that holds the LAN and forwards SSH, started unless it runs and knows every host."""
        file = self._state.folder / "switch.pid"
        pid = int(file.read_text()) if file.exists() else 0
        running = pid > 0 and processes.belongs(pid, self._state.folder)
        if running and all(record.ports.values()):
            return pid, record
        if running:
            processes.kill(pid, self._state.folder)
            processes.wait_gone(pid, self._state.folder, seconds=10)
        script = Path(__file__).with_name("switch.py")
        wanted = [f"{name}={port}" for name, port in record.ports.items()]
        with (self._state.folder / "switch.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-I", str(script), str(self._state.folder), *wanted],
                env=processes.environment(self._state.folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert process.stdout is not None
        with process.stdout as stdout:
            answer = stdout.readline()
        if not answer:
            log_text = (self._state.folder / "switch.log").read_text()[-2000:]
            raise ClusterlabError(f"the LAN of lab {record.inventory.lab} could not be made", detail=log_text)
        record = record.model_copy(update={"ports": json.loads(answer)})
        file.write_text(str(process.pid))
        self._state.write(record)
        return process.pid, record

    def _existing_hosts(self) -> Iterable[str]:
        folder = self._state.folder / "hosts"
        return [path.name for path in folder.iterdir()] if folder.is_dir() else []

    def _remove_hosts(self, names: set[str], progress: Progress) -> None:
        """Remove hosts that were up and are no longer in the inventory."""
        for name in sorted(names):
            progress.say(name, "no longer in the inventory: removed")
            NamespacesHost(name, self._lab.inventory, self._state.folder).remove()


def machine_tree(release: str, progress: Progress) -> Path:
    """The unpacked root file system that the hosts of all labs share, read-only; cached."""
    archive = machine_rootfs(release, progress)

    def unpack(target: Path) -> None:
        with progress.task("rootfs", "unpacking (once)"):
            target.mkdir()
            subprocess.run(
                ["tar", "--extract", "--file", str(archive), "--directory", str(target), "--numeric-owner",
                 "--xattrs", "--xattrs-include=*", "--exclude=./dev/*", "--exclude=./boot/*"],
                check=True,
            )  # fmt: skip

    return artefact("rootfs-tree", (archive.name,), "", unpack, progress)


def _require_root() -> None:
    if os.geteuid() != 0:
        raise ClusterlabError(
            "labs of kind namespaces need root: they make namespaces, mounts and cgroups on this machine",
            remedy="run the same command with sudo, or use `machines: qemu`, which needs no root",
        )


def _changed(before: Inventory, wanted: Inventory) -> list[str]:
    """What a lab that is up cannot change without its hosts being made anew."""
    changed = []
    if before.network.subnet != wanted.network.subnet:
        changed.append(f"subnet {before.network.subnet}, now {wanted.network.subnet}")
    for name in before.hosts.keys() & wanted.hosts.keys():
        old, new = before.hosts[name], wanted.hosts[name]
        if old.address != new.address:
            changed.append(f"address of {name} {old.address}, now {new.address}")
    return sorted(changed)


def _status(host: NamespacesHost, port: int | None) -> MachineStatus:
    pid = host.pid
    if pid is None:
        return MachineStatus(host.name, "stopped" if host.folder.exists() else "absent")
    if port and host.answers_ssh(port):
        return MachineStatus(host.name, "running", f"process {pid}, SSH on 127.0.0.1:{port}")
    return MachineStatus(host.name, "unreachable", f"process {pid} runs, but SSH does not answer on 127.0.0.1:{port}")


def _all(function: Callable[[NamespacesHost], None], hosts: Iterable[NamespacesHost]) -> None:
    """Do it for every host, several at once; one that fails hides no other."""
    errors: list[ClusterlabError] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for future in [pool.submit(function, host) for host in hosts]:
            try:
                future.result()
            except ClusterlabError as error:
                errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise Several(errors)

"""Machines of kind `loopback`: an SSH server for each host on this computer's loopback, all on one file system.

machines: loopback
loopback: {log_level: VERBOSE}
"""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from clusterlab.capabilities import Capabilities
from clusterlab.errors import HostError
from clusterlab.machines.base import MachineKind, Machines, MachineStatus
from clusterlab.model.base import Model
from clusterlab.waiting import wait_until

if TYPE_CHECKING:
    from clusterlab.model.lab import Lab
    from clusterlab.progress import Progress
    from clusterlab.remote.target import Target

_SSHD = "/usr/sbin/sshd"
_SECONDS = 10.0


class LoopbackSettings(Model):
    """The servers of a loopback lab."""

    log_level: Literal["INFO", "VERBOSE", "DEBUG"] = "INFO"


class LoopbackMachines:
    """The servers of one lab; see `clusterlab.machines.base.Machines`."""

    def __init__(self, lab: Lab) -> None:
        from clusterlab.machines.keys import LabKeys
        from clusterlab.machines.state import LabState

        self.kind = LOOPBACK
        self._lab = lab
        self._state = LabState(lab.name)
        self._keys = LabKeys(self._state.folder, lab.name)

    def up(self, progress: Progress, keep: bool = False) -> None:
        from clusterlab.machines.record import Record

        with self._state.lock("up"), progress.task(self._lab.name, "starting SSH servers"):
            ports = self._ports() | {host: _free_port() for host in self._lab.inventory.hosts if not self._pid(host)}
            self._state.write(Record.of(self._lab.inventory, self._lab.folder, ports))
            self._keys.write_known_hosts(list(ports))
            for host in ports:
                if not self._pid(host):
                    self._start(host, ports[host])

    def down(self, progress: Progress) -> None:
        with self._state.lock("down"), progress.task(self._lab.name, "ending SSH servers"):
            for host in self._lab.inventory.hosts:
                if pid := self._pid(host):
                    subprocess.run(["kill", str(pid)], check=True)
                    self._wait(host, running=False)
            self._state.remove()

    def status(self) -> list[MachineStatus]:
        ports = self._ports()
        return [self._status(host, ports.get(host)) for host in self._lab.inventory.hosts]

    def targets(self) -> dict[str, Target]:
        from clusterlab.remote.target import Target

        return {
            host: Target(
                name=host,
                address="127.0.0.1",
                port=port,
                user=getpass.getuser(),
                key=self._keys.user,
                known_hosts=(self._keys.known_hosts,),
                alias=self._keys.alias(host),
            )
            for host, port in self._ports().items()
        }

    def collect(self, folder: Path, progress: Progress) -> None:
        for host in self._lab.inventory.hosts:
            log = self._folder(host) / "log"
            if log.exists():
                (folder / host).mkdir(parents=True, exist_ok=True)
                shutil.copy(log, folder / host / "sshd.log")

    def unsupported(self) -> Capabilities:
        reason = "hosts on the loopback share this computer's kernel and files"
        missing = dict.fromkeys(("nfs", "ipvs", "iscsi", "vxlan", "xfrm"), reason)
        return Capabilities.missing_everywhere(self._lab.inventory.hosts, missing)

    def _folder(self, host: str) -> Path:
        return self._state.host_folder(host)

    def _ports(self) -> dict[str, int]:
        record = self._state.read()
        return dict(record.ports) if record else {}

    def _pid(self, host: str) -> int | None:
        """The server's process, as long as it is one of ours."""
        try:
            pid = int((self._folder(host) / "pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return pid if str(self._folder(host)) in command else None

    def _status(self, host: str, port: int | None) -> MachineStatus:
        from clusterlab.machines.ssh_banner import greets

        if port is None:
            return MachineStatus(host, "absent")
        pid = self._pid(host)
        if pid is None:
            return MachineStatus(host, "stopped")
        state = "running" if greets("127.0.0.1", port, _SECONDS) else "unreachable"
        return MachineStatus(host, state, f"process {pid}, port {port}")  # type: ignore[arg-type]

    def _start(self, host: str, port: int) -> None:
        folder = self._folder(host)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authorized = folder / "authorized_keys"
        authorized.write_text(self._keys.user_public)
        config = folder / "sshd_config"
        config.write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nPidFile {folder / 'pid'}\nHostKey {self._keys.host(host)}\n"
            f"AuthorizedKeysFile {authorized}\nUsePAM no\nStrictModes no\nPermitRootLogin prohibit-password\n"
            f"LogLevel {self._lab.inventory.section(LoopbackSettings).log_level}\n"
        )
        done = subprocess.run(
            [_SSHD, "-f", str(config), "-E", str(folder / "log")], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise HostError(host, "sshd did not start", detail=done.stderr)
        self._wait(host, running=True)

    def _wait(self, host: str, *, running: bool) -> None:
        what = "sshd to run" if running else "sshd to end"
        wait_until(lambda: bool(self._pid(host)) == running, what, _SECONDS, subject=host)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _open(lab: Lab) -> Machines:
    return LoopbackMachines(lab)


LOOPBACK = MachineKind(
    name="loopback",
    summary="SSH servers on this computer's loopback",
    open=_open,
    down="its servers have ended",
    copies_disks=False,
    settings=LoopbackSettings,
)

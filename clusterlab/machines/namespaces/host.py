"""One host in namespaces: its folder, its processes, its place on the LAN."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from threading import Event

from clusterlab.errors import HostError
from clusterlab.machines.keys import LabKeys
from clusterlab.machines.ssh_banner import greets
from clusterlab.model.base import size_bytes
from clusterlab.model.inventory import Inventory
from clusterlab.programs import run_program
from clusterlab.waiting import Interrupted, wait_until

from . import cgroups, processes
from .host_files import HostFiles, hosts_file

_START_SECONDS = 60.0
_GONE_SECONDS = 2.0  # a host without any process for this long has ended
_KILL_SECONDS = 20.0
_IP_SECONDS = 30.0
_ANSWER_SECONDS = 5.0
_POLL = 0.02  # seconds
_MTU = 1500
_CONSOLE = "console.log"
_EXPORTABLE = "index=on,nfs_export=on"  # for NFS; filesystems/overlayfs.rst of the kernel has both


@dataclass(frozen=True)
class NamespacesHost:
    """A host of a lab. Everything of it lies in `folder`, or ends with its process 1."""

    name: str
    inventory: Inventory
    lab_folder: Path

    @property
    def folder(self) -> Path:
        return self.lab_folder / "hosts" / self.name

    @property
    def pid(self) -> int | None:
        """Process 1 of the host as seen from outside, or None when it does not run."""
        try:
            pid = int((self.folder / "pid").read_text())
            started = int((self.folder / "started").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if processes.started(pid) == started else None

    @property
    def _logs(self) -> Path:
        return self.folder / "upper/var/log/clusterlab"

    @property
    def serves_docker(self) -> bool:
        return "docker" in self.inventory.hosts[self.name].roles

    @property
    def cgroup(self) -> str:
        return f"{cgroups.lab_cgroup(self.inventory.lab, self.lab_folder)}/{self.name}"

    def start(self, tree: Path, keys: LabKeys) -> None:
        """Start process 1 on the root file system `tree`, and return when it is there.

        Its services still start.
        """
        self.stop()  # an interrupted start may still go on by itself
        (self.folder / "pid").unlink(missing_ok=True)
        HostFiles(self.name, self.inventory, self.folder).prepare(keys)
        wanted = self.inventory.hosts[self.name]
        joins = cgroups.make(self.cgroup)
        cgroups.limit(self.cgroup, size_bytes(wanted.memory) if wanted.memory else None, wanted.cpus)
        script = files(__package__) / "guest" / "launch.sh"
        overlay = _EXPORTABLE if "nfs_server" in wanted.roles else "rw"
        launch = ["sh", str(script), str(tree), str(self.folder), self.name, overlay, *map(str, joins)]
        with (self.folder / _CONSOLE).open("ab") as console:
            subprocess.run(
                processes.on_its_own(*launch),
                env=processes.environment(self.lab_folder, self.name),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                check=True,
            )
        self._wait_for_process_1()

    def refresh_names(self) -> None:
        """Give a running host the names of hosts that were added since."""
        pid = self.pid
        if pid is not None:
            Path(f"/proc/{pid}/root/etc/hosts").write_text(hosts_file(self.inventory))

    def plug_in(self, switch: int) -> None:
        """Connect the host to the LAN of the process `switch`, unless it is.

        That process holds the bridge.
        """
        pid = self.pid
        if pid is None:
            raise HostError(self.name, "it ended while it was starting", detail=self.console_tail())
        plugged, now = self.folder / "plugged", f"{pid} {switch}"
        if plugged.exists() and plugged.read_text() == now:
            return
        address = f"{self.inventory.hosts[self.name].address}/{self.inventory.network.subnet.prefixlen}"
        mtu = f"mtu {self.wanted_mtu}"
        self._unplug(pid)
        port = f"to{pid}"
        self._ip(
            switch,
            f"link add {port} {mtu} type veth peer name eth0 {mtu} netns {pid}",
            f"link set {port} master lan up alias {self.name}",
        )
        self._ip(pid, f"addr add {address} dev eth0", "link set eth0 up")
        plugged.write_text(now)

    @property
    def wanted_mtu(self) -> int:
        """The MTU that the inventory gives the host's card."""
        return self.inventory.network.mtu or _MTU

    @property
    def mtu(self) -> int:
        """The MTU of the running host's card."""
        shown = self._ip_shows("-o link show dev eth0")
        if not (found := re.search(r" mtu (\d+) ", shown)):
            raise HostError(self.name, "its card in the LAN shows no MTU", detail=shown)
        return int(found[1])

    def set_mtu(self, switch: int) -> None:
        """Give the running host's card, and the switch's port, the MTU of the inventory."""
        if (pid := self.pid) is not None:
            self._ip(switch, f"link set to{pid} mtu {self.wanted_mtu}")
            self._ip(pid, f"link set eth0 mtu {self.wanted_mtu}")

    def set_link(self, switch: int, up: bool) -> None:
        """Plug the host's cable into the switch, or pull it out.

        Its card keeps its address, and loses its carrier.
        """
        if (pid := self.pid) is not None:
            self._ip(switch, f"link set to{pid} {'up' if up else 'down'}")

    def _unplug(self, pid: int) -> None:
        """Remove a card that an interrupted start left behind.

        Or one whose other end goes away with a former switch.
        """
        cards, refused = Path(f"/proc/{pid}/net/dev"), ""

        def unplugged() -> bool:
            nonlocal refused
            if "eth0:" not in cards.read_text():
                return True
            try:
                self._ip(pid, "link del eth0")
            except HostError as error:  # it may have gone away by itself
                refused = error.message
            return "eth0:" not in cards.read_text()

        wait_until(
            unplugged,
            "the former card to be removed",
            _KILL_SECONDS,
            subject=self.name,
            seen=lambda: refused,
            longest_pause=_POLL,
        )

    def wait_until_ready(self, port: int, stop: Event) -> None:
        """Wait until SSH answers on loopback `port`, and on a Docker host the engine.

        Raises DeadlineExceeded.

        Gives up in silence when `stop` is set.
        """
        with suppress(Interrupted):
            self._wait("SSH to answer", lambda: self.answers_ssh(port), stop)
            if self.serves_docker:
                self._wait("its Docker engine to answer", self.answers_docker, stop)

    def _wait(self, what: str, answers: Callable[[], bool], stop: Event) -> None:
        def ready() -> bool:
            if answers():
                return True
            if self.pid is None:
                raise HostError(self.name, "it ended while it was starting", detail=self.console_tail())
            if failed := self._failed_services():
                raise HostError(self.name, f"{', '.join(failed)} did not start", detail=self._words_of(failed))
            return False

        wait_until(
            ready,
            what,
            _START_SECONDS,
            subject=self.name,
            remedy=f"clusterlab up --keep leaves it as it is; its logs are in {self._logs}",
            detail=self.console_tail,
            stop=stop,
            longest_pause=_POLL,
        )

    def stop(self) -> None:
        """Kill process 1, and everything in its namespaces with it."""
        cgroups.freeze(self.cgroup, False)  # what is stopped cannot be ended
        self.end_nfs()
        left = processes.kill_all(self.lab_folder, _KILL_SECONDS, [self.name])
        if left:
            raise HostError(
                self.name,
                f"these processes cannot be ended: {', '.join(map(str, left))}",
                remedy="they are waiting in the kernel, perhaps for a storage server that is gone; try again later",
            )

    def end_nfs(self) -> None:
        """End the kernel's NFS server of this host.

        No process, it would outlive them all and keep their network.

        When process 1 is ended by somebody else, launch.sh does it.
        """
        if (pid := self.pid) is None:
            return
        root = Path(f"/proc/{pid}/root")
        try:
            if not root.samefile("/"):  # else it is just starting, and there is still the server of this machine
                (root / "proc/fs/nfsd/threads").write_text("0\n")
        except (FileNotFoundError, ProcessLookupError):
            return  # it never served, or process 1 ended in this moment

    def remove(self) -> None:
        """End the host, and remove its cgroups and its files.

        What was interrupted here is never taken for a host.
        """
        self.stop()
        if left := cgroups.remove(self.cgroup, _KILL_SECONDS):
            raise HostError(self.name, f"these cgroups remain: {', '.join(left)}")
        removed = self.folder.with_name(f".{self.name}.removed")
        if removed.exists():
            shutil.rmtree(removed)
        if self.folder.exists():
            self.folder.rename(removed)
            shutil.rmtree(removed)

    def answers_ssh(self, port: int) -> bool:
        return greets("127.0.0.1", port, _ANSWER_SECONDS)

    def answers_docker(self) -> bool:
        pid = self.pid
        if pid is None:
            return False
        connection = http.client.HTTPConnection("engine")
        try:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(_ANSWER_SECONDS)
            connection.sock.connect(f"/proc/{pid}/root/run/docker.sock")
            connection.request("GET", "/_ping")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def console_tail(self) -> str:
        """The last lines that starting it wrote."""
        return _last_lines(self.folder / _CONSOLE)

    def _words_of(self, services: list[str]) -> str:
        """The last lines that services wrote, and those of the console."""
        parts = [_last_lines(self._logs / f"{service}.log") for service in services]
        return "\n".join(part for part in (*parts, self.console_tail()) if part)

    def collect(self, folder: Path) -> None:
        """Copy the host's logs, and what the kernel says of its mounts, into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        logs = [self.folder / _CONSOLE, *self._logs.glob("*.log")]
        for log in filter(Path.exists, logs):
            shutil.copy(log, folder / log.name)
        pid = self.pid
        if pid is not None:
            shutil.copyfile(f"/proc/{pid}/mountinfo", folder / "mountinfo")
            addresses = ["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "addr"]
            (folder / "addresses").write_text(run_program(addresses, _IP_SECONDS).output)

    def _failed_services(self) -> list[str]:
        """Services that ended instead of starting, as noted by process 1."""
        notes = Path(f"/proc/{self.pid}/root/run/clusterlab").glob("*.failed")
        return sorted(note.stem for note in notes)

    def _wait_for_process_1(self) -> None:
        seen = time.monotonic()

        def started() -> bool:
            nonlocal seen
            if self.pid is not None:
                return True
            # One look at /proc can miss a process that hands over to its child at that moment.
            if processes.find(self.lab_folder, [self.name]):
                seen = time.monotonic()
            if time.monotonic() - seen > _GONE_SECONDS and self.pid is None:
                raise HostError(
                    self.name, "its namespaces could not be created", detail=self.console_tail() or "no output"
                )
            return False

        wait_until(
            started,
            "its namespaces",
            _START_SECONDS,
            subject=self.name,
            detail=self.console_tail,
            longest_pause=_POLL,
        )

    def _ip_shows(self, command: str) -> str:
        """What an `ip` command prints in the network of the running host."""
        ip = ["nsenter", f"--net=/proc/{self.pid}/ns/net", "ip", *command.split()]
        done = run_program(ip, _IP_SECONDS, env=processes.environment(self.lab_folder))
        if done.exit != 0:
            raise HostError(self.name, f"`ip {command}` failed", detail=done.stderr.strip())
        return done.stdout

    def _ip(self, pid: int, *commands: str) -> None:
        """Run `ip` commands in the network of a process."""
        done = run_program(
            ["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-batch", "-"],
            _IP_SECONDS,
            stdin="\n".join(commands) + "\n",
            env=processes.environment(self.lab_folder),
        )
        if done.exit != 0:
            raise HostError(self.name, "it could not be connected to the LAN", detail=done.stderr.strip())


def _last_lines(file: Path, count: int = 15) -> str:
    """The end of a log, or nothing when there is none."""
    try:
        return "\n".join(file.read_text(errors="replace").splitlines()[-count:])
    except FileNotFoundError:
        return ""

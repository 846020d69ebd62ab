"""Real SSH servers on the loopback, each with keys of its own, for one test."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clusterlab.remote import Target

KEY_TYPES = ("ed25519", "ecdsa", "rsa")


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """A key pair at `path` and `path`.pub."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def free_port() -> int:
    """A port of the loopback on which nothing listens.

    It lies below those that the kernel gives away by itself: no connection of another test takes it meanwhile.
    """
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port := random.randrange(20000, 32000)))
            return port


class Sshd:
    """One server. `keys` are the types of its host keys, `options` further lines of sshd_config."""

    def __init__(self, folder: Path, keys: tuple[str, ...] = ("ed25519",), options: str = "") -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.port = free_port()
        self.user_key = make_key(folder / "user")
        self.host_keys = {kind: make_key(folder / f"host_{kind}", kind) for kind in keys}
        self._config = folder / "sshd_config"
        self._config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nPidFile none\nUsePAM no\nStrictModes no\n"
            f"Subsystem sftp internal-sftp\nPermitRootLogin prohibit-password\n"
            f"PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            f"AuthorizedKeysFile {self.user_key}.pub\n"
            + "".join(f"HostKey {key}\n" for key in self.host_keys.values())
            + options
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        log = self.folder / "log"
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", str(self._config), "-E", str(log)])
        deadline = time.monotonic() + 10
        while not self._answers():
            assert time.monotonic() < deadline, f"sshd does not listen: {log.read_text()}"
            time.sleep(0.02)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def cut(self) -> None:
        """End the processes of all connections, as a reboot does; the server goes on listening."""
        for pid in self._sessions():
            with suppress(ProcessLookupError):  # it has ended by itself meanwhile
                os.kill(pid, signal.SIGKILL)

    def _sessions(self) -> list[int]:
        assert self.process
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def stop(self) -> None:
        if self.process:
            self.cut()
            self.process.terminate()
            self.process.wait()
            self.process = None
            deadline = time.monotonic() + 10
            while self._answers():  # a process that it has just forked still has the listening socket
                assert time.monotonic() < deadline, f"port {self.port} is still listened on"
                time.sleep(0.02)

    def known_hosts(self, *kinds: str, name: str = "", file: str = "known_hosts") -> Path:
        """A known_hosts file with the server's keys of these types (none: all)."""
        path = self.folder / file
        bodies = [self.host_keys[kind].with_suffix(".pub") for kind in kinds or self.host_keys]
        path.write_text("".join(f"{name or self.known_name} {body.read_text()}" for body in bodies))
        return path

    @property
    def known_name(self) -> str:
        return f"[127.0.0.1]:{self.port}"

    def target(self, name: str = "host1", **changes: object) -> Target:
        """How it is reached; its host key is known unless `known_hosts` says otherwise."""
        settings: dict[str, object] = {"key": self.user_key, "known_hosts": None, **changes}
        if settings["known_hosts"] is None:
            settings["known_hosts"] = (self.known_hosts(),)
        return Target(name, "127.0.0.1", self.port, **settings)  # type: ignore[arg-type]


@contextmanager
def server(folder: Path, keys: tuple[str, ...] = ("ed25519",), options: str = "") -> Iterator[Sshd]:
    """A running server, stopped at the end with all its sessions."""
    sshd = Sshd(folder, keys, options)
    try:
        sshd.start()
        yield sshd
    finally:
        sshd.stop()

"""The files that give a host in namespaces its name, keys and services."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from clusterlab.machines.keys import LabKeys
from clusterlab.model.inventory import Inventory

_DATA = ("docker", "containerd")
"""Folders of engines' data, on a file system that is not an overlay."""
_PRIVATE = ("root", ".ssh")


@dataclass(frozen=True)
class HostFiles:
    """The files of one host, in its `folder`."""

    name: str
    inventory: Inventory
    folder: Path

    def prepare(self, keys: LabKeys) -> None:
        """Write what makes this host itself.

        What an earlier start left in its file system stays.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in ("upper", "work", "root", "data", *(f"data/{name}" for name in _DATA)):
            _make_folder(self.folder / part, 0o755)
        guest = files(__package__) / "guest"
        for name, path in (
            ("init.sh", "usr/local/lib/clusterlab/init"),
            ("systemctl.sh", "usr/local/bin/systemctl"),
            ("journalctl.sh", "usr/local/bin/journalctl"),
            ("nfs_server.sh", "usr/local/lib/clusterlab/nfs-server"),
        ):
            self._put(path, (guest / name).read_text(), 0o755)
        host_key = keys.host(self.name)
        self._put("etc/ssh/ssh_host_ed25519_key", host_key.read_text(), 0o600)
        self._put("etc/ssh/ssh_host_ed25519_key.pub", host_key.with_suffix(".pub").read_text())
        self._put("root/.ssh/authorized_keys", keys.user_public, 0o600)
        self._put("etc/hostname", f"{self.name}\n")
        self._put("etc/hosts", hosts_file(self.inventory))
        self._put("etc/resolv.conf", self._resolver_file())
        if not (self.folder / "upper/etc/machine-id").exists():
            engine = ("containerd", "docker") if "docker" in self.inventory.hosts[self.name].roles else ()
            for service in ("ssh", *engine):
                self._put(f"etc/clusterlab/enabled/{service}", "")
            self._put("etc/machine-id", f"{secrets.token_hex(16)}\n", 0o444)  # last: it says that all was written

    def _put(self, path: str, text: str, mode: int = 0o644) -> None:
        target = self.folder / "upper" / path
        for folder in reversed(target.relative_to(self.folder).parents[:-2]):
            _make_folder(self.folder / folder, 0o700 if folder.name in _PRIVATE else 0o755)
        target.unlink(missing_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "w") as file:
            file.write(text)
            os.fchmod(descriptor, mode)  # whatever the umask is

    def _resolver_file(self) -> str:
        """There is no name server on the LAN.

        The host itself refuses at once, where silence would be waited for.
        """
        return f"nameserver {self.inventory.hosts[self.name].address}\noptions timeout:1 attempts:1\n"


def hosts_file(inventory: Inventory) -> str:
    """The content of /etc/hosts on every host of a lab."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    lines += [f"{host.address} {name}" for name, host in inventory.hosts.items()]
    return "\n".join(lines) + "\n"


def _make_folder(folder: Path, mode: int) -> None:
    """Create a folder with exactly this mode, whatever the umask is.

    An existing one stays as it is.
    """
    if not folder.exists():
        folder.mkdir()
        folder.chmod(mode)

"""The keys of a lab whose machines clusterlab makes.

One pair to log in with, and a host key for each machine.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from clusterlab.files import make_private, write_atomically


class LabKeys:
    """The keys in one lab's state folder.

    Each is created on first use and stays the same until `down`.
    """

    def __init__(self, folder: Path, lab: str) -> None:
        self.folder = folder / "keys"
        """Where all of them are."""
        self._lab = lab
        self._making = Lock()  # machines are made in several threads

    @property
    def user(self) -> Path:
        """The private key (ed25519) that logs in to every machine of the lab."""
        return self._pair("id_ed25519")

    @property
    def user_public(self) -> str:
        """The public half, as a line of authorized_keys."""
        return self.user.with_suffix(".pub").read_text()

    def host(self, name: str) -> Path:
        """The private host key of a machine.

        Its public half is beside it, ending in .pub.
        """
        return self._pair(f"host_{name}")

    def alias(self, name: str) -> str:
        """The name under which `known_hosts` has a machine: no two labs share one."""
        return f"{name}.{self._lab}"

    @property
    def known_hosts(self) -> Path:
        """OpenSSH's known_hosts with the machines that `write_known_hosts` was given."""
        return self.folder / "known_hosts"

    def write_known_hosts(self, names: list[str]) -> None:
        lines = [f"{self.alias(name)} {self.host(name).with_suffix('.pub').read_text()}" for name in names]
        write_atomically(self.known_hosts, "".join(lines))

    def _pair(self, name: str) -> Path:
        private = self.folder / name
        public = private.with_suffix(".pub")
        with self._making:
            if not private.exists() or not public.exists():
                make_private(self.folder)
                key = Ed25519PrivateKey.generate()
                opened = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
                line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
                write_atomically(private, opened)
                write_atomically(public, f"{line} clusterlab-{self._lab}\n", mode=0o644)
        return private

"""The NFS exports that the inventory names: as whom the test writes to each, and those that it can only read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a key press in a completing shell waits for the names of properties
    from clusterlab.model.inventory import Inventory

_ANONYMOUS = 65534
"""Whom the server takes squashed users for, unless anonuid and anongid say otherwise: exports(5)."""
_WRITE, _READ = 0o3, 0o5
"""Making a file takes the right to write to a directory and to enter it, listing it that to read it."""

Place = tuple[str, str]
"""Server and path of an export."""


@dataclass(frozen=True)
class Directory:
    """What the server shows of an exported directory; `mode` as chmod(1) takes it."""

    uid: int
    gid: int
    mode: int

    def __str__(self) -> str:
        return f"it belongs to {self.uid}:{self.gid}, with mode {self.mode:o}"


@dataclass(frozen=True)
class OwnExport:
    """An export of the inventory.

    `user` is who writes to it, or reads it, UID:GID, or "" for root. `only_read` is why nobody can write to it, and
    `closed` why nobody can read it either, else "".
    """

    server: str
    address: str
    path: str
    user: str = ""
    only_read: str = ""
    closed: str = ""

    @property
    def shown(self) -> str:
        """Path and server, as a title has it."""
        return f"{self.path} of {self.server}"


def own_exports(inventory: Inventory, directories: Mapping[Place, Directory]) -> Iterator[OwnExport]:
    """Every export of the inventory, on each of its servers.

    One whose directory is not known is written to by root: then the statement shows why that fails.
    """
    for server in inventory.with_role("nfs_server"):
        for one in inventory.nfs.exports:
            path = str(one.path)
            address, directory = str(inventory.hosts[server].address), directories.get((server, path))
            user, why = _who(one.options, directory, _WRITE)
            if "ro" in one.options:
                why = "it is exported read-only"
            reader, closed = _who(one.options, directory, _READ) if why else (user, "")
            yield OwnExport(server, address, path, reader, why, closed)


def _who(options: list[str], directory: Directory | None, right: int) -> tuple[str, str]:
    """As whom a container has a right on an export, and why nobody has."""
    all_squashed = "all_squash" in options
    if directory is None or ("no_root_squash" in options and not all_squashed):
        return "", ""
    anonymous = _number(options, "anonuid")
    if anonymous == 0 or _may(directory, anonymous, _number(options, "anongid"), right):
        return "", ""  # that is who root is there
    if not all_squashed and directory.uid != 0 and _may(directory, directory.uid, directory.gid, right):
        return f"{directory.uid}:{directory.gid}", ""
    squashed = "every user" if all_squashed else "root"
    return "", f"{directory}, and the export takes {squashed} for user {anonymous}"


def _may(directory: Directory, uid: int, gid: int, right: int) -> bool:
    """By the class of permissions that applies to a user: path_resolution(7)."""
    shift = 6 if uid == directory.uid else 3 if gid == directory.gid else 0
    return directory.mode >> shift & right == right


def _number(options: list[str], name: str) -> int:
    found = [one.partition("=")[2] for one in options if one.startswith(f"{name}=")]
    return int(found[-1]) if found and found[-1].lstrip("-").isdigit() else _ANONYMOUS

"""The inventory by itself: addresses, names, and keys that its kind of machines does not use."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from ..inventory import ROLES, Ssh
from ..problems import Problem
from ..source import KeyPath
from .files import Files


def problems(files: Files) -> Iterator[Problem]:
    yield from _addresses(files)
    yield from _names(files)
    yield from _unused_keys(files)
    yield from _needed_files(files)
    if files.inventory.nfs.exports and not files.inventory.with_role("nfs_server"):
        yield files.problem(
            ("nfs", "exports"),
            "no host serves these",
            "Give a host the role nfs_server, or leave the exports out.",
            key=True,
        )


def _addresses(files: Files) -> Iterator[Problem]:
    owners: dict[IPv4Address, str] = {}
    for name, host in files.inventory.hosts.items():
        path: KeyPath = ("hosts", name, "address")
        if host.address in owners:
            remedy = "Give each host an address of its own."
            yield files.problem(path, f"{host.address} is the address of '{owners[host.address]}' already", remedy)
        owners.setdefault(host.address, name)
        if files.lan is not None and (message := _not_of(files.lan, host.address)):
            lan = files.lan
            remedy = f"The addresses go from {lan[1]} to {lan[-2]}." if lan.num_addresses > 2 else ""
            yield files.problem(path, message, remedy)


def _not_of(network: IPv4Network, address: IPv4Address) -> str:
    """Why `address` cannot be a host's in `network`, or ""."""
    if address not in network:
        return f"{address} is outside the subnet {network}"
    if network.num_addresses > 2 and address == network.network_address:
        return f"{address} is the address of the network {network} itself"
    if network.num_addresses > 2 and address == network.broadcast_address:
        return f"{address} is the broadcast address of {network}"
    return ""


def _names(files: Files) -> Iterator[Problem]:
    for name in files.inventory.hosts:
        if name in (*ROLES, "all"):
            what = "means every host" if name == "all" else "is a role"
            yield files.problem(("hosts", name), f"a host cannot be called '{name}': in a play that {what}", key=True)


def _unused_keys(files: Files) -> Iterator[Problem]:
    """A key that says nothing to this kind of machines is an error: it would be ignored."""
    kind = files.inventory.machines
    if kind != "existing":
        for path in (("ssh",), *(("hosts", name, "ssh") for name in files.inventory.hosts)):
            if path in files.document.keys:
                remedy = "Leave it out: clusterlab makes these machines and knows how to reach them."
                yield files.problem(path, f"'ssh' is for existing machines, not for {kind}", remedy, key=True)
    if kind not in ("qemu", "vagrant"):
        for name in files.inventory.hosts:
            for key in ("memory", "cpus"):
                if ("hosts", name, key) in files.document.keys:
                    message = f"'{key}' is for virtual machines (qemu, vagrant), not for {kind}"
                    yield files.problem(("hosts", name, key), message, "Leave it out.", key=True)
    if kind == "existing" and ("qemu",) in files.document.keys:
        yield files.problem(("qemu",), "'qemu' says nothing to existing machines", "Leave it out.", key=True)
    if kind != "vagrant" and ("vagrant",) in files.document.keys:
        yield files.problem(("vagrant",), f"'vagrant' says nothing to {kind} machines", "Leave it out.", key=True)
    for key in ("memory", "cpus", "disk", "boot_timeout") if kind == "vagrant" else ():
        if ("qemu", key) in files.document.keys:
            message = f"'{key}' of qemu says nothing to vagrant machines"
            yield files.problem(("qemu", key), message, "Write it under vagrant.", key=True)


def _needed_files(files: Files) -> Iterator[Problem]:
    for name, image in files.inventory.images.items():
        if image.archive is not None and not (files.folder / image.archive).is_file():
            remedy = f"It was looked for at {files.folder / image.archive}. Make it with: docker save -o FILE IMAGE"
            yield files.problem(("images", name, "archive"), f"there is no file '{image.archive}'", remedy)
    if files.inventory.machines == "vagrant" and (folder := files.inventory.vagrant.folder) is not None:
        file = files.folder / folder.expanduser() / "Vagrantfile"
        if not file.is_file():
            remedy = f"It was looked for at {file}. Without `folder`, clusterlab's own is taken."
            yield files.problem(("vagrant", "folder"), f"there is no Vagrantfile in '{folder}'", remedy)
    yield from _ssh_files(files, ("ssh",), files.inventory.ssh)
    for name, host in files.inventory.hosts.items():
        yield from _ssh_files(files, ("hosts", name, "ssh"), host.ssh)


def _ssh_files(files: Files, path: KeyPath, ssh: Ssh) -> Iterator[Problem]:
    for key in ("key", "known_hosts"):
        file: Path | None = getattr(ssh, key)
        if file is not None and not file.expanduser().is_file():
            yield files.problem((*path, key), f"there is no file '{file}'")

"""The inventory by itself.

Addresses, names, and keys that its kind of machines does not use.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from clusterlab.machines.kinds import MACHINE_KINDS, kinds_with

from ..groups import ALL, GROUPS, ROLES
from ..inventory import Ssh
from ..problems import Problem, either
from ..reserved import is_reserved
from ..source import KeyPath
from .files import Files


def problems(files: Files) -> Iterator[Problem]:
    yield from _addresses(files)
    yield from _names(files)
    yield from _images(files)
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
            yield files.problem(path, f"{host.address} is already the address of '{owners[host.address]}'", remedy)
        owners.setdefault(host.address, name)
        if files.lan is not None and (message := _not_of(files.lan, host.address)):
            lan = files.lan
            remedy = f"Addresses range from {lan[1]} to {lan[-2]}." if lan.num_addresses > 2 else ""
            yield files.problem(path, message, remedy)


def _not_of(network: IPv4Network, address: IPv4Address) -> str:
    """Why `address` cannot be a host's in `network`, or ""."""
    if address not in network:
        return f"{address} is outside the subnet {network}"
    if network.num_addresses > 2 and address == network.network_address:
        return f"{address} is the network address of {network} itself"
    if network.num_addresses > 2 and address == network.broadcast_address:
        return f"{address} is the broadcast address of {network}"
    return ""


def _names(files: Files) -> Iterator[Problem]:
    for name in files.inventory.hosts:
        if name in GROUPS:
            what = "means every host" if name == ALL else "is a role" if name in ROLES else "is a group of hosts"
            yield files.problem(("hosts", name), f"a host cannot be called '{name}': in a play that {what}", key=True)


def _images(files: Files) -> Iterator[Problem]:
    for name in filter(is_reserved, files.inventory.images):
        yield files.problem(("images", name), f"an image cannot be called '{name}'", "Leave out //.", key=True)


def _unused_keys(files: Files) -> Iterator[Problem]:
    """A key that has no effect on this kind of machines is an error.

    It would be ignored.
    """
    kind = files.inventory.kind
    for key in ("ssh", "memory", "cpus", "release"):
        if key in kind.host_keys:
            continue
        message = f"'{key}' has no effect on {kind.name} machines, only on {either(kinds_with(key))} machines"
        paths: list[KeyPath] = [(key,), *(("hosts", name, key) for name in files.inventory.hosts)]
        for path in paths:
            if path in files.document.keys:
                yield files.problem(path, message, "Leave it out.", key=True)
    for name in files.inventory.hosts if kind.creates else ():
        if ("hosts", name, "addresses") in files.document.keys:
            message = f"'addresses' has no effect on {kind.name} machines: they have one card in the LAN"
            yield files.problem(("hosts", name, "addresses"), message, "Leave it out.", key=True)
    if not kind.sets_mtu and ("network", "mtu") in files.document.keys:
        message = f"'mtu' has no effect on {kind.name} machines: it is that of their cards"
        yield files.problem(("network", "mtu"), message, "Leave it out.", key=True)
    if not kind.foreign and ("shared",) in files.document.keys:
        message = f"'shared' has no effect on {kind.name} machines: only this workstation can reach them"
        yield files.problem(("shared",), message, "Leave it out.", key=True)
    for other in MACHINE_KINDS.values():
        section = other.name
        if other == kind or not other.settings or (section,) not in files.document.keys:
            continue
        if section not in kind.reads:
            message = f"'{section}' has no effect on {kind.name} machines"
            yield files.problem((section,), message, "Leave it out.", key=True)
            continue
        for key in other.settings.model_fields.keys() - (kind.reads[section] or other.settings.model_fields.keys()):
            if (section, key) in files.document.keys:
                remedy = f"Write it under {kind.name}." if kind.has_setting(key) else "Leave it out."
                message = f"'{key}' of {section} has no effect on {kind.name} machines"
                yield files.problem((section, key), message, remedy, key=True)


def _needed_files(files: Files) -> Iterator[Problem]:
    for name, image in files.inventory.images.items():
        if image.archive is not None and not (files.folder / image.archive).is_file():
            remedy = f"It was not found at {files.folder / image.archive}. Create it with: docker save -o FILE IMAGE"
            yield files.problem(("images", name, "archive"), f"file '{image.archive}' does not exist", remedy)
    for issue in files.inventory.kind.issues(files.inventory, files.folder):
        yield files.problem(issue.at, issue.message, issue.remedy, key=issue.key)
    yield from _ssh_files(files, ("ssh",), files.inventory.ssh)
    for name, host in files.inventory.hosts.items():
        yield from _ssh_files(files, ("hosts", name, "ssh"), host.ssh)


def _ssh_files(files: Files, path: KeyPath, ssh: Ssh) -> Iterator[Problem]:
    for key in ("key", "known_hosts"):
        file: Path | None = getattr(ssh, key)
        if file is not None and not file.expanduser().is_file():
            yield files.problem((*path, key), f"file '{file}' does not exist")

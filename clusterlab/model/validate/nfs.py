"""Options of the local volume driver, and NFS volumes against the lab's exports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from clusterlab.model.addresses import is_ip

from ..inventory import Export
from ..playbook import Volume
from ..problems import Problem, listed, suggest
from ..short_syntax import parse_options
from ..source import KeyPath
from .files import Files, PlayFile

_LOCAL_OPTIONS = ("type", "o", "device", "size")  # https://docs.docker.com/reference/cli/docker/volume/create/
_EXPORTED = "Export it under nfs.exports of the inventory"


def problems(files: Files) -> Iterator[Problem]:
    for file in files.plays.values():
        for name, volume in file.play.volumes.items():
            if volume.driver == "local":
                yield from _local(files, file, ("volumes", name, "driver_opts"), volume)


def _local(files: Files, file: PlayFile, path: KeyPath, volume: Volume) -> Iterator[Problem]:
    options = volume.driver_opts
    for key in options:
        if key not in _LOCAL_OPTIONS:
            remedy = suggest(key, _LOCAL_OPTIONS, "Options")
            yield file.problem((*path, key), f"the local driver has no option '{key}'", remedy, key=True)
    if ("type" in options) != ("device" in options):
        there, lacking = ("type", "device") if "type" in options else ("device", "type")
        yield file.problem((*path, there), f"'{there}' needs '{lacking}' beside it", key=True)
    elif options.get("type") in ("nfs", "nfs4"):
        yield from _nfs(files, file, path, {key: str(value) for key, value in options.items()})


def _nfs(files: Files, file: PlayFile, path: KeyPath, options: dict[str, str]) -> Iterator[Problem]:
    address = parse_options(options.get("o", "")).get("addr", "")
    servers = files.inventory.with_role("nfs_server")
    where = (*path, "o") if "o" in options else path
    if not address:
        remedy = f"Add it to o: addr=${{hosts.{servers[0] if servers else 'gw'}.address}}."
        yield file.problem(where, "an NFS volume needs the server's address (addr=)", remedy)
        return
    host = _host_of(files, address)
    if not is_ip(address):
        yield from _server_name(file, where, options["type"], address, host)
    if host is not None and host not in servers:
        remedy = f"NFS servers are {listed(servers)}." if servers else "Give it the role nfs_server."
        yield file.problem(where, f"'{host}' ({address}) is not an NFS server of this lab", remedy)
    yield from _device(files, file, (*path, "device"), options["device"], served=host in servers)


def _host_of(files: Files, address: str) -> str | None:
    for name, host in files.inventory.hosts.items():
        if address in (name, str(host.address)):
            return name
    return None


def _server_name(file: PlayFile, path: KeyPath, kind: str, name: str, host: str | None) -> Iterator[Problem]:
    if kind == "nfs4":
        remedy = f"Write {f'${{hosts.{host}.address}}' if host else 'its address'}, or type: nfs with nfsvers=4.2 in o."
        message = f"addr={name}: the local driver looks up names for type nfs, not for nfs4"
        yield file.problem(path, message, remedy)


def _device(files: Files, file: PlayFile, path: KeyPath, device: str, *, served: bool) -> Iterator[Problem]:
    directory = device.removeprefix(":")
    if not device.startswith(":/"):
        yield file.problem(
            path, f"'{device}': the device of an NFS volume is the path on the server", 'Write it like ":/shares".'
        )
        return
    exports = files.inventory.nfs.exports
    if not served or any(_is_root(export) for export in exports):
        return
    if not any(PurePosixPath(directory).is_relative_to(export.path) for export in exports):
        shared = f" The exports are {listed(export.path for export in exports)}." if exports else ""
        remedy = f"{_EXPORTED} ({files.document.file}).{shared}"
        yield file.problem(path, f"'{directory}' is not under any export of the lab", remedy)


def _is_root(export: Export) -> bool:
    """Whether the export is the root that NFSv4 paths start from (exports(5))."""
    return bool({"fsid=0", "fsid=root"} & set(export.options))

"""LUNs against the hosts, and disks and the volumes on them against the LUNs."""

from __future__ import annotations

from collections.abc import Iterator

from ..iscsi import SMALLEST, Disk, Lun, disk_of
from ..playbook import Volume
from ..problems import Problem, listed, suggest
from ..source import KeyPath
from .files import Files, PlayFile


def problems(files: Files) -> Iterator[Problem]:
    yield from _target(files)
    for index, lun in enumerate(files.inventory.iscsi.luns):
        yield from _lun_host(files, ("iscsi", "luns", index, "host"), lun)
    used: dict[str, str] = {}  # a LUN, and where its disk stands
    for file in files.plays.values():
        for name, disk in file.play.disks.items():
            yield from _disk(files, file, ("disks", name), disk, used)
        for name, volume in file.play.volumes.items():
            if (on := disk_of(volume.driver_opts)) is not None:
                yield from _volume(files, file, ("volumes", name), volume, on)


def _target(files: Files) -> Iterator[Problem]:
    targets = files.inventory.with_role("iscsi_target")
    if not files.inventory.iscsi.luns or len(targets) == 1:
        return
    message = f"{listed(targets)} would all serve these" if targets else "no host serves these"
    remedy = "Leave the role iscsi_target to one of them." if targets else "Give a host the role iscsi_target."
    yield files.problem(("iscsi", "luns"), message, remedy, key=True)


def _lun_host(files: Files, path: KeyPath, lun: Lun) -> Iterator[Problem]:
    docker = files.inventory.docker_hosts
    if lun.host not in files.inventory.hosts:
        yield files.problem(path, f"unknown host '{lun.host}'", suggest(lun.host, docker, "Docker hosts"))
    elif lun.host not in docker:
        remedy = f"Docker hosts are {listed(docker)}." if docker else "Give it the role docker."
        yield files.problem(path, f"'{lun.host}' is not a Docker host", remedy)
    elif lun.host in files.inventory.with_role("iscsi_target"):
        message = f"'{lun.host}' is the target itself: a host that is its own client can block itself"
        yield files.problem(path, message, "Name another Docker host.")


def _disk(files: Files, file: PlayFile, path: KeyPath, disk: Disk, used: dict[str, str]) -> Iterator[Problem]:
    lun = files.inventory.iscsi.lun(disk.lun)
    if lun is None:
        known = [one.name for one in files.inventory.iscsi.luns]
        remedy = suggest(disk.lun, known, "LUNs") or f"Add it under iscsi.luns of {files.document.file}."
        yield file.problem((*path, "lun"), f"the inventory has no LUN '{disk.lun}'", remedy)
        return
    if disk.host != lun.host:
        remedy = "Two hosts that write to one file system destroy it: use it on that host, or use NFS."
        yield file.problem((*path, "host"), f"the LUN '{lun.name}' is for {lun.host}, not for {disk.host}", remedy)
    if lun.name in used:
        remedy = "Use that disk, or another LUN."
        yield file.problem((*path, "lun"), f"the LUN '{lun.name}' is already a disk ({used[lun.name]})", remedy)
    used.setdefault(lun.name, file.place_of(path))
    if disk.filesystem and lun.bytes < SMALLEST[disk.filesystem]:
        need = SMALLEST[disk.filesystem] // 2**20
        message = f"{disk.filesystem} needs {need}M, and the LUN '{lun.name}' has {lun.size}"
        yield file.problem((*path, "filesystem"), message, "Make the LUN larger, or choose ext4.")


def _volume(files: Files, file: PlayFile, path: KeyPath, volume: Volume, name: str) -> Iterator[Problem]:
    where = (*path, "driver_opts", "device")
    disk = file.play.disks.get(name)
    if disk is None:
        remedy = suggest(name, file.play.disks, "Disks") or "Add it under disks: of this play."
        yield file.problem(where, f"this play has no disk '{name}'", remedy)
        return
    elsewhere = [host for host in files.expand(volume.hosts) if host != disk.host]
    if elsewhere:
        message = f"the disk '{name}' is on {disk.host}, not on {listed(elsewhere)}"
        yield file.problem((*path, "hosts"), message, f"Write hosts: {disk.host}.")
    kind = volume.driver_opts.get("type")
    if disk.filesystem and kind not in (None, disk.filesystem):
        message = f"the disk '{name}' has {disk.filesystem}, not {kind}"
        yield file.problem((*path, "driver_opts", "type"), message, f"Write type: {disk.filesystem}.")

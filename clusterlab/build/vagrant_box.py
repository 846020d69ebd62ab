"""A box for Vagrant (libvirt), built without a download and without root.

It has the same root file system as the qemu machines.

A box is a tar of `metadata.json`, a `Vagrantfile` and `box.img`; the form is described at
https://vagrant-libvirt.github.io/vagrant-libvirt/boxes.html. The disk has a boot loader, a kernel and an initrd of its
own, so that libvirt needs no file besides it.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.progress import Progress, Task

from .cache import artefact, artefact_path
from .machine_image import (
    GUEST,
    guest_files,
    make_boot_files,
    make_disk,
    require_tools,
    run_tool,
    shared_material,
)
from .rootfs import machine_rootfs, machine_rootfs_path

_RECIPE = "1"  # increase it when the result changes and nothing else of the key does
_TOOLS = {
    "qemu-img": "qemu-utils",
    "sfdisk": "fdisk",
    "grub-mkimage": "grub-common",
}
_GRUB = Path("/usr/lib/grub/i386-pc")
_GRUB_MODULES = ("biosdisk", "part_msdos", "ext2", "linux", "boot")
_MIB = 1024 * 1024
_FIRST = _MIB
"""Where the file system begins; before it are the partition table and the boot loader."""
_FILES = {
    # guest/ name: (path in the machine, mode)
    "box/keys.service": ("etc/systemd/system/clusterlab-keys.service", 0o644),
    "box/names.service": ("etc/systemd/system/clusterlab-names.service", 0o644),
    "box/names.path": ("etc/systemd/system/clusterlab-names.path", 0o644),
    "box/names.sh": ("usr/lib/clusterlab/names", 0o755),
    "box/dhcp.network": ("etc/systemd/network/10-vagrant.network", 0o644),
    "box/sudoers": ("etc/sudoers.d/vagrant", 0o440),
    "box/insecure.pub": ("etc/clusterlab-insecure.pub", 0o600),
}
_STARTED = ("clusterlab-keys.service", "clusterlab-names.path")
_PLAIN = {
    "etc/hostname": "clusterlab\n",
    "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 clusterlab\n",
    "etc/resolv.conf": "",
}


@dataclass(frozen=True)
class Box:
    """A folder with a box and its catalog: what `vagrant box add` takes."""

    folder: Path
    release: str

    @property
    def name(self) -> str:
        return box_name(self.release)

    @property
    def file(self) -> Path:
        """The box itself."""
        return self.folder / "libvirt.box"

    @property
    def catalog(self) -> Path:
        """Name, version, checksum and place of the box, as Vagrant wants them (JSON)."""
        return self.folder / "catalog.json"

    @property
    def version(self) -> str:
        """When it was built: a newer box has a higher version."""
        return str(json.loads(self.catalog.read_text())["versions"][0]["version"])


def box_name(release: str) -> str:
    """The name under which Vagrant knows the box of a Debian `release`."""
    return f"clusterlab/{release}"


def vagrant_box(release: str, disk: str, progress: Progress) -> Box:
    """The box of a Debian `release` with a disk of that size ("8G").

    Cached once it is made, which takes about a minute.
    """
    require_tools(_TOOLS)
    if not (_GRUB / "boot.img").exists():
        raise ClusterlabError(
            f"{_GRUB} is missing: the box would not boot", remedy="install it: sudo apt-get install grub-pc-bin"
        )
    rootfs = machine_rootfs(release, progress)
    material = _material(rootfs, disk)

    def make(folder: Path) -> None:
        with progress.task("box", f"building from Debian {release} (about a minute, once)") as task:
            folder.mkdir()
            _make(rootfs, disk, Box(folder, release), artefact_path("vagrant-box", material, ""), task)

    return Box(artefact("vagrant-box", material, "", make, progress), release)


def expected_box(release: str, disk: str) -> Box:
    """The box that `vagrant_box` would give, whether it is made yet or not."""
    return Box(artefact_path("vagrant-box", _material(machine_rootfs_path(release), disk), ""), release)


def _material(rootfs: Path, disk: str) -> tuple[str, ...]:
    guest = [path.read_text() for path in sorted((GUEST / "box").iterdir())]
    return (_RECIPE, rootfs.name, disk, *_GRUB_MODULES, *_PLAIN.values(), *guest, *shared_material())


def _make(rootfs: Path, disk: str, box: Box, final: Path, task: Task) -> None:
    scratch = box.folder / "making"
    scratch.mkdir()
    raw, image = scratch / "disk.raw", scratch / "box.img"
    task.update("writing the file system")
    _make_file_system(rootfs, raw, disk)
    task.update("installing the boot loader")
    _make_bootable(raw, scratch)
    task.update("packing")
    run_tool(["qemu-img", "convert", "-O", "qcow2", str(raw), str(image)])
    _pack(box.file, image, disk)
    box.catalog.write_text(_catalog(box, final))
    for path in sorted(scratch.iterdir()):
        path.unlink()
    scratch.rmdir()


def _make_file_system(rootfs: Path, raw: Path, disk: str) -> None:
    kernel, initrd = raw.with_name("vmlinuz"), raw.with_name("initrd")
    make_boot_files(rootfs, kernel, initrd, GUEST / "box" / "init.sh")
    make_disk(
        rootfs,
        raw,
        f"{(_bytes(disk) - _FIRST) // 1024}k",
        [*_additions(), _file("boot/vmlinuz", kernel.read_bytes()), _file("boot/initrd", initrd.read_bytes())],
        script=(GUEST / "box" / "user.sh").read_text(),
        extended=(f"offset={_FIRST}",),
        features=("^metadata_csum_seed", "^orphan_file"),  # the boot loader has to read it
    )


def _additions() -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    yield from guest_files(_FILES, _STARTED)
    yield from (_file(path, text.encode()) for path, text in _PLAIN.items())


def _file(path: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(path)
    member.size = len(content)
    return member, content


def _make_bootable(raw: Path, scratch: Path) -> None:
    """Write a partition table, and GRUB before the first partition.

    GRUB goes where its own installer would put it.

    GRUB's first sector loads what follows it (grub's `boot.img` and `diskboot.img` are made for this by default).
    """
    table, core = scratch / "table", scratch / "core.img"
    table.write_text(f"label: dos\nstart={_FIRST // 512}, type=83, bootable\n")
    run_tool(["sh", "-c", 'sfdisk --quiet "$0" < "$1"', str(raw), str(table)])
    early = GUEST / "box" / "grub.cfg"
    run_tool(["grub-mkimage", "-O", "i386-pc", "-o", str(core), "-p", "/", "-c", str(early), *_GRUB_MODULES])
    content = core.read_bytes()
    if 512 + len(content) > _FIRST:
        raise ClusterlabError(f"the boot loader of {len(content)} bytes does not fit before the file system")
    with raw.open("r+b") as stream:
        stream.write((_GRUB / "boot.img").read_bytes()[:440])  # what follows is the disk's id and the partition table
        stream.seek(512)
        stream.write(content)


def _pack(file: Path, image: Path, disk: str) -> None:
    metadata = {"provider": "libvirt", "format": "qcow2", "virtual_size": -(-_bytes(disk) // 1024**3)}
    with tarfile.open(file, "w") as tar:
        for name, content in (
            ("metadata.json", json.dumps(metadata).encode()),
            ("Vagrantfile", (GUEST / "box" / "Vagrantfile").read_bytes()),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            with (file.parent / "making" / name).open("w+b") as stream:
                stream.write(content)
                stream.seek(0)
                tar.addfile(member, stream)
        tar.add(image, "box.img")


def _catalog(box: Box, final: Path) -> str:
    with box.file.open("rb") as stream:
        checksum = hashlib.file_digest(stream, "sha256").hexdigest()
    provider = {
        "name": "libvirt",
        "url": (final / box.file.name).as_uri(),
        "checksum_type": "sha256",
        "checksum": checksum,
    }
    version = datetime.now(UTC).strftime("%Y%m%d.%H%M%S.0")
    description = f"clusterlab's machines: Debian {box.release} with Docker's engine, NFS and iSCSI"
    document = {
        "name": box.name,
        "description": description,
        "versions": [{"version": version, "providers": [provider]}],
    }
    return json.dumps(document, indent=2) + "\n"


def _bytes(size: str) -> int:
    """Bytes of a size as an inventory has it: 512M, 8G."""
    number, unit = re.fullmatch(r"(\d+)([MG])", size).groups()  # type: ignore[union-attr]
    return int(number) * (_MIB if unit == "M" else 1024 * _MIB)

"""The disk of virtual machines, from small root file systems."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from clusterlab.build.machine_image import make_disk

MODULES = "./usr/lib/modules/7.2.12-amd64"


def archive(file: Path, files: dict[str, str], links: dict[str, str]) -> Path:
    with tarfile.open(file, "w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
        for name, target in links.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.LNKTYPE, target
            tar.addfile(member)
    return file


def listed(disk: Path, folder: str) -> str:
    command = ["/usr/sbin/debugfs", "-R", f"ls -p {folder}", str(disk)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_kernel_that_is_linked_to_the_boot_folder_is_left_out_with_it(tmp_path: Path) -> None:
    """Kernels since 7.2 have their image and configuration among the modules, as hard links."""
    files = {"./boot/vmlinuz-7.2.12-amd64": "kernel", f"{MODULES}/modules.dep": "needed", "./etc/hosts": "kept"}
    rootfs = archive(tmp_path / "rootfs.tar", files, {f"{MODULES}/vmlinuz": "./boot/vmlinuz-7.2.12-amd64"})
    disk = tmp_path / "disk.img"
    make_disk(rootfs, disk, "256M", [])
    assert "/hosts/" in listed(disk, "/etc")
    assert "/modules.dep/" in listed(disk, MODULES.removeprefix("."))
    assert "vmlinuz" not in listed(disk, MODULES.removeprefix("."))

"""The disk, kernel and initrd that virtual machines start from.

Made from the machine root file system, without root.
"""

from __future__ import annotations

import io
import lzma
import os
import re
import shlex
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from clusterlab.errors import ClusterlabError
from clusterlab.programs import run_program
from clusterlab.progress import Progress

from . import cpio
from .cache import artefact, artefact_path
from .rootfs import machine_rootfs, machine_rootfs_path

GUEST = Path(__file__).parent / "guest"

_SHARED_FILES = {
    # guest/ name: (path in the machine, mode)
    "sshd.conf": ("etc/ssh/sshd_config.d/clusterlab.conf", 0o644),
    "ssh.conf": ("etc/systemd/system/ssh.service.d/clusterlab.conf", 0o644),
    "journald.conf": ("etc/systemd/journald.conf.d/clusterlab.conf", 0o644),
    "runc.pl": ("usr/lib/clusterlab/runc", 0o755),
    "runc.service": ("etc/systemd/system/clusterlab-runc.service", 0o644),
}
_FILES = {
    "identity.sh": ("usr/lib/clusterlab/identity", 0o755),
    "seal.sh": ("usr/lib/clusterlab/seal", 0o755),
    "identity.service": ("etc/systemd/system/clusterlab-identity.service", 0o644),
    "seal.service": ("etc/systemd/system/clusterlab-seal.service", 0o644),
    "udev.conf": ("etc/udev/rules.d/90-clusterlab.rules", 0o644),
}
_MODULES = (
    "virtio_blk",
    "failover",
    "net_failover",
    "virtio_net",
)  # in the order they are loaded; ext4 is in the kernel
_MASKED = (
    # nothing of these is of use in a machine that lives for hours, and each costs seconds of an emulated boot
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
    "xfs_scrub_all.timer", "e2scrub_reap.service", "getty.target", "systemd-logind.service", "systemd-pstore.service",
    "systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
    "systemd-ask-password-console.path", "systemd-ask-password-wall.path", "ldconfig.service", "dev-hugepages.mount",
    "systemd-hwdb-update.service", "systemd-firstboot.service", "systemd-journal-catalog-update.service",
    "systemd-machine-id-commit.service", "systemd-update-done.service", "systemd-sysusers.service",
    "systemd-random-seed.service", "systemd-tpm2-setup.service", "systemd-tpm2-setup-early.service",
    "systemd-pcrphase.service", "systemd-pcrphase-sysinit.service", "systemd-pcrmachine.service", "sshd-keygen.service",
    "systemd-hibernate-clear.service", "systemd-journal-flush.service", "systemd-timesyncd.service",
    "modprobe@drm.service", "modprobe@efi_pstore.service", "tpm2.target", "apparmor.service",
)  # fmt: skip
_NOT_STARTED = ("nfs-server.service", "nfs-client.target", "rpcbind.service", "tgt.service", "open-iscsi.service")
"""What a host starts only when it serves as that; provisioning does so."""
_LEFT_OUT = (
    "./boot", "./dev/*", "./etc/ssh/ssh_host_*", "./etc/hostname", "./etc/machine-id", "./var/lib/apt/lists/*",
    "./var/cache/apt/*", "./var/log/*",
)  # fmt: skip
_HARD_LINKS = tuple(f"./usr/lib/modules/*/{name}" for name in ("vmlinuz", "config", "System.map"))
"""What newer kernels share with /boot, which is left out.

Not a part of the image's key: where it exists, no image could be made with it.
"""
TOOL_SECONDS = 1800.0
"""How long a program that makes a part of an image may take; half a minute is usual."""
_RECIPE = "1"  # increase it when the result changes and nothing else of the key does


@dataclass(frozen=True)
class MachineImage:
    """A folder with what a machine starts from. Nothing in it is ever written to."""

    folder: Path

    @property
    def disk(self) -> Path:
        """A raw image of one ext4 file system, sparse."""
        return self.folder / "disk.img"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd"


def machine_image(release: str, disk: str, progress: Progress) -> MachineImage:
    """The image of a Debian `release` with a disk of that size ("8G").

    Cached once it is made, which takes half a minute.
    """
    require_tools()
    rootfs = machine_rootfs(release, progress)

    def make(folder: Path) -> None:
        with progress.task("machine image", f"building from Debian {release} (half a minute, once)") as task:
            folder.mkdir()
            image = MachineImage(folder)
            task.update("extracting the kernel and its drivers")
            make_boot_files(rootfs, image.kernel, image.initrd, GUEST / "init.sh")
            task.update("writing the file system")
            make_disk(rootfs, image.disk, disk, _additions())

    return MachineImage(artefact("machine-image", _material(rootfs, disk), "", make, progress))


def expected_image(release: str, disk: str) -> MachineImage:
    """The image that `machine_image` would give, whether it is made yet or not."""
    return MachineImage(artefact_path("machine-image", _material(machine_rootfs_path(release), disk), ""))


def _material(rootfs: Path, disk: str) -> tuple[str, ...]:
    guest = [path.read_text() for path in sorted(GUEST.iterdir()) if path.is_file()]
    return (_RECIPE, rootfs.name, disk, *_MODULES, *_MASKED, *_NOT_STARTED, *_LEFT_OUT, *guest)


def shared_material() -> tuple[str, ...]:
    """What any disk made of this root file system depends on besides that.

    Part of its key in the cache.
    """
    files = [(GUEST / name).read_text() for name in _SHARED_FILES]
    return (*_MODULES, *_MASKED, *_NOT_STARTED, *_LEFT_OUT, *files)


def require_tools(tools: Mapping[str, str] = MappingProxyType({})) -> None:
    """Check that images can be built and that `tools` are installed.

    `tools` maps a program to its package. Raises ClusterlabError.
    """
    for tool, package in {"fakeroot": "fakeroot", "mkfs.ext4": "e2fsprogs", **tools}.items():
        if not shutil.which(tool, path=_path()):
            raise ClusterlabError(
                f"{tool} is not installed: machine images cannot be built",
                remedy=f"install it: sudo apt-get install {package}",
            )


def _path() -> str:
    """The search path with the folders that hold file system tools.

    Users' own often lacks them.
    """
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def make_boot_files(rootfs: Path, kernel: Path, initrd: Path, init: Path) -> None:
    """Write the kernel of a root file system, and an initrd that starts `init`.

    The initrd has few drivers.
    """
    wanted = re.compile(rf"\./(boot/vmlinuz-|usr/bin/busybox$|usr/lib/modules/.*/(?:{'|'.join(_MODULES)})\.ko)")
    with tarfile.open(rootfs) as tar:
        found = {
            Path(member.name).name.split("-")[0].split(".")[0]: _content(tar, member)
            for member in tar
            if member.isfile() and wanted.match(member.name)
        }
    missing = [name for name in ("vmlinuz", "busybox", *_MODULES) if name not in found]
    if missing:
        raise ClusterlabError(f"{rootfs} lacks files that a machine boots from: {', '.join(missing)}")
    kernel.write_bytes(found["vmlinuz"])
    files = {f"modules/{order}-{name}.ko": (found[name], 0o644) for order, name in enumerate(_MODULES)}
    files["bin/busybox"] = (found["busybox"], 0o755)
    files["init"] = (init.read_bytes(), 0o755)
    initrd.write_bytes(cpio.archive(files))


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    assert stream is not None  # it is a file
    content = stream.read()
    return lzma.decompress(content) if member.name.endswith(".xz") else content


def make_disk(
    rootfs: Path,
    disk: Path,
    size: str,
    additions: Iterable[tuple[tarfile.TarInfo, bytes]],
    *,
    script: str = "",
    extended: Sequence[str] = (),
    features: Sequence[str] = (),
) -> None:
    """Write a file system of `size`, with the content of `rootfs`.

    `additions` are put over it, and `script` changes it there.

    `extended` and `features` are options of mkfs.ext4. All is done in one fakeroot, which remembers the owners that a
    user cannot set.
    """
    scratch = disk.with_name("scratch")
    scratch.mkdir()
    added = scratch / "additions.tar"
    with tarfile.open(added, "w") as tar:
        for member, content in additions:
            tar.addfile(member, io.BytesIO(content))
    root = scratch / "root"
    root.mkdir()
    left_out = [f"--exclude={pattern}" for pattern in (*_LEFT_OUT, *_HARD_LINKS)]
    left_out += [f"--exclude=./etc/systemd/system/*.wants/{unit}" for unit in _NOT_STARTED]
    options = ["-q", "-m", "0", "-J", "size=16", "-E", ",".join(("lazy_itable_init=1", "nodiscard", *extended))]
    options += ["-O", ",".join(features)] if features else []
    commands = [
        shlex.join(["tar", "-xp", "--anchored", "--wildcards", *left_out, "-f", str(rootfs), "-C", str(root)]),
        shlex.join(["tar", "-xp", "-f", str(added), "-C", str(root)]),
        f"cd {shlex.quote(str(root))}\n{script}\ncd /",
        shlex.join(["mkfs.ext4", *options, "-d", str(root), str(disk), size]),
    ]
    try:
        run_tool(["fakeroot", "sh", "-e", "-c", "\n".join(commands)])
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _additions() -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    yield from guest_files(_FILES, started=["clusterlab-seal.service"])


def guest_files(
    files: Mapping[str, tuple[str, int]], started: Sequence[str]
) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """What any disk gets, with these files of guest/ and units started at boot.

    Members of a tar; `files` maps names in guest/ to paths in the machine and modes.
    """
    units = ["clusterlab-runc.service", *started]
    yield from _links(
        _masked() | {f"etc/systemd/system/multi-user.target.wants/{unit}": f"../{unit}" for unit in units}
    )
    for name, (path, mode) in {**_SHARED_FILES, **files}.items():
        content = (GUEST / name).read_bytes()
        member = tarfile.TarInfo(path)
        member.mode, member.size = mode, len(content)
        yield member, content


def _masked() -> dict[str, str]:
    """Links that keep systemd from starting what short-lived machines do not use."""
    units = [f"etc/systemd/system/{unit}" for unit in _MASKED]
    # for virtual sockets, which there are none of
    return dict.fromkeys([*units, "etc/systemd/system-generators/systemd-ssh-generator"], "/dev/null")


def _links(targets: Mapping[str, str]) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Symbolic links, by path, as members of a tar."""
    for path, target in targets.items():
        member = tarfile.TarInfo(path)
        member.type, member.linkname = tarfile.SYMTYPE, target
        yield member, b""


def run_tool(command: list[str]) -> None:
    """Run a program that makes a part of an image.

    Raises ClusterlabError with its output when it fails or hangs.
    """
    remedy = "see its output: is there enough space in the cache folder? XDG_CACHE_HOME may name another"
    done = run_program(command, TOOL_SECONDS, env={**os.environ, "PATH": _path()}, remedy=remedy)
    if done.exit != 0:
        raise ClusterlabError(
            f"building the machine image failed: {command[0]} ended with exit code {done.exit}",
            remedy=remedy,
            detail=done.output[-4000:],
        )

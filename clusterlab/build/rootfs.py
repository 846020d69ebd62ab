"""Root file systems from distribution packages, made by mmdebstrap.

As root, or as a user in a user namespace.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from clusterlab.errors import ClusterlabError
from clusterlab.programs import follow_program, run_program
from clusterlab.progress import Progress, Task

from .cache import artefact, artefact_path

MACHINE_PACKAGES = (
    # what makes it a system that is reached over SSH
    "systemd", "systemd-sysv", "dbus", "udev", "openssh-server", "sudo", "kmod", "procps", "util-linux",
    "linux-image-cloud-amd64", "initramfs-tools", "busybox-static",
    # what it serves as
    "docker.io", "docker-cli", "iptables", "nfs-kernel-server", "nfs-common", "tgt", "open-iscsi",
    "xfsprogs", "e2fsprogs",
    # what checks ask with
    "ca-certificates", "curl", "iproute2", "iputils-ping",
    # what faults break with
    "nftables",
)  # fmt: skip
"""The packages of a machine, virtual or in namespaces."""
_WITH_CLIENT = ("bullseye", "bookworm")
"""Releases whose docker.io has Docker's client in it: they have no package docker-cli."""

_SMALL = (
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
)
_NO_IDENTITY = (
    'rm -f "$1"/etc/ssh/ssh_host_*',  # every machine gets keys of its own
    ': > "$1/etc/machine-id"',
)
_EPOCH = "1735689600"  # 2025-01-01: files made while building carry this time, so equal input makes equal files
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SILENCE = 600.0
"""Seconds without any output after which mmdebstrap hangs: a mirror that does not answer, a full disk."""
GRACE = 10.0
"""Seconds that an interrupted mmdebstrap has to unmount and remove what it made."""
_REMEDY = "see its last lines: are the package mirrors reachable, is there enough disk space?"
_EXPIRED = re.compile(r"Release file for \S+ is expired")
_ANY_AGE = 'Acquire::Check-Valid-Until "false"'
_STEP = re.compile(
    r"^(?:I: (?P<info>.+)|Get:\d+ \S+ \S+ \S+ (?P<got>[^\s\[]\S*)|(?P<dpkg>(?:Unpacking|Setting up) \S+))"
)


def machine_rootfs(release: str, progress: Progress) -> Path:
    """The root file system of a machine with Debian `release`, as a tar file.

    Cached once it is made, which takes about a minute.
    """
    release = _release_name(release)

    def make(target: Path) -> None:
        packages = machine_packages(release)
        with progress.task("rootfs", f"building Debian {release} from packages (about a minute, once)") as task:
            try:
                run_mmdebstrap(target, release=release, packages=packages, hooks=_NO_IDENTITY, task=task)
            except ClusterlabError as error:
                if not _EXPIRED.search(error.detail):
                    raise
                progress.say("rootfs", f"the mirror's list of {release} is past its date, and is used still")
                target.unlink(missing_ok=True)
                run_mmdebstrap(
                    target, release=release, packages=packages, hooks=_NO_IDENTITY, task=task, options=[_ANY_AGE]
                )

    return artefact("rootfs", _material(release), ".tar", make, progress)


def machine_packages(release: str) -> tuple[str, ...]:
    """The packages of a machine with that release."""
    return tuple(one for one in MACHINE_PACKAGES if one != "docker-cli" or release not in _WITH_CLIENT)


def machine_rootfs_path(release: str) -> Path:
    """Where that root file system is, or will be once it is made."""
    return artefact_path("rootfs", _material(_release_name(release)), ".tar")


def _material(release: str) -> tuple[str, ...]:
    return (release, *machine_packages(release), *_SMALL, *_NO_IDENTITY, _EPOCH)


def run_mmdebstrap(
    target: Path,
    *,
    release: str,
    packages: Sequence[str],
    task: Task,
    variant: str = "minbase",
    hooks: Sequence[str] = (),
    options: Sequence[str] = (),
) -> None:
    """Make `target` (a .tar) of `packages` and their dependencies.

    Manuals and translations are left out.

    `hooks` are shell commands run at the end, with the root file system as `$1`, `options` those of APT. No mirror is
    named, so that the machine's own choice holds. Raises ClusterlabError with the last lines of output when it fails.
    """
    _require_tools()
    release = _release_name(release)
    command = ["mmdebstrap", "--verbose", "--format=tar", f"--variant={variant}"]
    command += [f"--include={','.join(packages)}"] if packages else []
    command += [f"--dpkgopt={option}" for option in _SMALL]
    command += [f"--aptopt={option}" for option in options]
    command += [f"--customize-hook={hook}" for hook in hooks]
    with _scratch_folder() as scratch:
        environment = {**os.environ, "TMPDIR": str(scratch), "SOURCE_DATE_EPOCH": _EPOCH, "LC_ALL": "C"}
        with target.open("xb") as output:  # opened here: what outlives a killed build writes to nothing that is used
            _follow([*_dies_with_us(), *command, release, "-"], environment, output, task)


def _require_tools() -> None:
    if not shutil.which("mmdebstrap"):
        raise ClusterlabError(
            "mmdebstrap is not installed: root file systems cannot be built",
            remedy="install it: sudo apt-get install mmdebstrap",
        )
    if not _KEYRING.exists():
        raise ClusterlabError(
            f"{_KEYRING} is missing: Debian's packages cannot be verified",
            remedy="install it: sudo apt-get install debian-archive-keyring",
        )
    if os.geteuid() != 0 and not shutil.which("newuidmap"):
        raise ClusterlabError(
            "newuidmap is not installed: without root, root file systems cannot be built",
            remedy="install it: sudo apt-get install uidmap",
        )


def _release_name(release: str) -> str:
    if not re.fullmatch(r"[a-z]+", release):
        raise ClusterlabError(f"{release!r} is not the name of a Debian release", remedy="name one, such as trixie")
    return release


def _dies_with_us() -> list[str]:
    """A prefix that ends a command when this process ends.

    As root, all its mounts and children end too.
    """
    prefix = ["setpriv", "--pdeathsig", "KILL"]
    if os.geteuid() == 0:
        prefix += ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return prefix


def _follow(command: Sequence[str], environment: dict[str, str], output: IO[bytes], task: Task) -> None:
    """Run mmdebstrap with its archive going to `output`.

    `task` shows the current step.
    """
    last: deque[str] = deque(maxlen=25)

    def on_line(line: str) -> None:
        last.append(line.rstrip())
        if step := _STEP.match(line):
            task.update(_step_text(step))

    code = follow_program(
        command, on_line, silence=SILENCE, grace=GRACE, stdout=output, env=environment, remedy=_REMEDY
    )
    if code != 0:
        raise ClusterlabError(f"mmdebstrap failed {_ending(code)}", remedy=_REMEDY, detail="\n".join(last))


def _ending(code: int) -> str:
    return f"with exit code {code}" if code >= 0 else f"and was ended by {signal.Signals(-code).name}"


def _step_text(step: re.Match[str]) -> str:
    if step["got"]:
        return f"downloading {step['got']}"
    return str(step["info"] or step["dpkg"])


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    """A folder for mmdebstrap's work that its mapped users may enter.

    Leftovers of killed builds are removed first.
    """
    base = Path("/var/tmp") if os.access("/var/tmp", os.W_OK) else Path(tempfile.gettempdir())
    for leftover in base.glob(f"clusterlab-build-{os.geteuid()}-*"):
        _remove_unless_used(leftover)
    folder = Path(tempfile.mkdtemp(prefix=f"clusterlab-build-{os.geteuid()}-", dir=base))
    folder.chmod(0o711)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield folder
    finally:
        os.close(descriptor)
        _remove_tree(folder)


def _remove_unless_used(folder: Path) -> None:
    if folder.lstat().st_uid != os.geteuid():
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        _remove_tree(folder)
    finally:
        os.close(descriptor)


def _remove_tree(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():  # with files of mapped users: they can empty their folders, and then we can remove these
        theirs = [str(path) for path in folder.iterdir()]
        run_program(["mmdebstrap", "--unshare-helper", "rm", "-rf", *theirs], 120)
        shutil.rmtree(folder, ignore_errors=True)

"""CL105: a disk that is full, or read-only."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import DISKS, MOUNTS
from clusterlab.doctor.sections.mounts import Mount
from clusterlab.resources.swarm_member import ROOT

_SKIPPED = ("overlay", "tmpfs", "devtmpfs", "udev", "shm", "none", "efivarfs")
_SMALL = 64 * 2**20  # boot partitions and the like are full all the time
_LITTLE = 2**30


def _find(host: HostView, cluster: Cluster) -> Found:
    for disk in host.read(DISKS):
        if disk.source in _SKIPPED or disk.size < _SMALL or disk.mount_point.startswith(("/boot", "/snap")):
            continue
        worst = max(disk.used, disk.inodes or 0)
        if worst <= 85:
            continue
        what = "inodes" if (disk.inodes or 0) > disk.used else "disk"
        error = worst > 95 or disk.free < _LITTLE
        yield CODE.finding(
            f"{host.name} {disk.mount_point}",
            f"{host.name}: {what} {worst} % full at {disk.mount_point}",
            [
                Seen(
                    host.name, f"df {'-i ' if what == 'inodes' else ''}{disk.mount_point}", "at most 85 %", f"{worst} %"
                )
            ],
            [Fix(host.name, "docker system df; then docker system prune, which removes what nothing uses")],
            severity=Severity.ERROR if error else Severity.WARNING,
            hosts=[host.name],
            consequences=("CL213", "CL215"),
        )
    for mount in _written(host):
        if _read_only(mount):
            yield CODE.finding(
                f"{host.name} {mount.point}",
                f"{host.name}: {mount.point} is mounted read-only",
                [Seen(host.name, f"findmnt {mount.point}", "rw", f"{mount.options}; {mount.super_options}")],
                [Fix(host.name, f"dmesg | tail shows why; then mount -o remount,rw {mount.point}")],
                hosts=[host.name],
            )


def _written(host: HostView) -> list[Mount]:
    """The mounts of the folders in which a host must be able to write."""
    root = host.info.text("DockerRootDir", default=ROOT) if "info" in host.answers.api else ROOT
    mounts = host.read(MOUNTS)
    found = {}
    for folder in ("/", "/var", root):
        over = [one for one in mounts if f"{folder}/".startswith(f"{one.point.rstrip('/')}/")]
        if over:
            mount = max(reversed(over), key=lambda one: len(one.point))  # of two on one point, the later one counts
            found[mount.point] = mount
    return list(found.values())


def _read_only(mount: Mount) -> bool:
    """Whether the mount is, or its file system: the kernel makes it so after an error."""
    return "ro" in mount.options.split(",") or "ro" in mount.super_options.split(",")


CODE = Diagnosis(
    code="CL105",
    title="A disk is full, out of inodes, or read-only",
    severity=Severity.ERROR,
    effect="Containers do not start, images cannot be pulled, and the Swarm's log cannot be written: a manager then "
    "leaves the quorum.",
    detection="`df` for blocks and inodes of local file systems; the mounts that hold /, /var and the engine's folder "
    "(DockerRootDir), and their file systems, which the kernel makes read-only after an error.",
    guard="tmpfs and overlay, and file systems below 64 MiB.",
    remedy="Remove what nothing uses, or enlarge the disk.",
    host=_find,
    every_host=True,
)

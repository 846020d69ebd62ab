"""CL413: a bind without the mount that should be under it."""

from __future__ import annotations

from pathlib import PurePosixPath

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.document import Document
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView, container_name
from clusterlab.doctor.sections import CONTAINER_MOUNTS, FSTAB, MOUNTS
from clusterlab.doctor.sections.mounts import Mount, Wanted

_NOT_AT_BOOT = ("noauto", "x-systemd.automount")


def _find(host: HostView, cluster: Cluster) -> Found:
    running = host.running()
    mounted = {one.point for one in host.read(MOUNTS)}
    for wanted in host.read(FSTAB):
        expected = wanted.point.startswith("/") and wanted.point != "/" and not set(_NOT_AT_BOOT) & set(wanted.options)
        if expected and wanted.point.rstrip("/") not in mounted:
            yield from _missing(host, wanted, running)
    yield from _older(host, running)


def _missing(host: HostView, wanted: Wanted, running: list[Document]) -> Found:
    users = [
        (container_name(one), source) for one in running for source, _ in _binds(one) if _below(source, wanted.point)
    ]
    if users:
        names = ", ".join(dict.fromkeys(name for name, _ in users))
        yield CODE.finding(
            f"{host.name} {wanted.point}",
            f"{host.name}: {wanted.point} is not mounted; {names} sees the empty directory under it",
            [
                Seen(host.name, f"findmnt {wanted.point}", f"{wanted.source} ({wanted.kind}), by fstab", "not mounted"),
                *(Seen(host.name, "docker inspect", "", f"{name} binds {source}") for name, source in users),
            ],
            [Fix(host.name, f"mount {wanted.point}"), *(Fix(host.name, f"docker restart {name}") for name, _ in users)],
            hosts=[host.name],
        )


def _older(host: HostView, running: list[Document]) -> Found:
    """Containers that were started before a file system was mounted over their bind."""
    mounts = host.read(MOUNTS)
    inside = host.read(CONTAINER_MOUNTS)
    for container in running:
        own = {one.point: one for one in inside.get(container.text("Id"), ())}
        for source, target in _binds(container):
            over = _holding(mounts, source)
            under = _holding([one for one in mounts if one is not over], over.point) if over else None
            seen = own.get(target)
            if over is None or under is None or seen is None or over.point == "/" or seen.device != under.device:
                continue
            if over.device != under.device and seen.root == _root(under, source):
                name = container_name(container)
                yield CODE.finding(
                    f"{host.name} {name} {target}",
                    f"{host.name}: {name} was started before {over.point} was mounted: it sees the directory under it",
                    [
                        Seen(
                            host.name, f"findmnt -T {source}", "the same as in the container", f"device {over.device}"
                        ),
                        Seen(
                            host.name,
                            f"{name}: mountinfo of {target}",
                            f"device {over.device}",
                            f"device {seen.device}",
                        ),
                    ],
                    [Fix(host.name, f"docker restart {name}")],
                    hosts=[host.name],
                )


def _binds(container: Document) -> list[tuple[str, str]]:
    mounts = container.items("Mounts")
    return [(one.text("Source"), one.text("Destination")) for one in mounts if one.text("Type") == "bind"]


def _below(path: str, folder: str) -> bool:
    return PurePosixPath(path).is_relative_to(PurePosixPath(folder))


def _holding(mounts: list[Mount] | tuple[Mount, ...], path: str) -> Mount | None:
    """The mount that a path is on: of those at the longest point, the last."""
    found = [one for one in mounts if _below(path, one.point)]
    return max(reversed(found), key=lambda one: len(one.point)) if found else None


def _root(mount: Mount, path: str) -> str:
    """A path of the host as its path within the file system of a mount."""
    return str(PurePosixPath(mount.root) / PurePosixPath(path).relative_to(PurePosixPath(mount.point)))


CODE = Diagnosis(
    code="CL413",
    title="A bind shows the directory under a mount that is missing",
    severity=Severity.ERROR,
    effect="The container writes to the host's own disk, or finds no files: the file system of fstab was not "
    "mounted, or was "
    "mounted after the container had started.",
    detection="fstab against the mounts of the host, for the sources of binds; the device of each bind in the "
    "container's "
    "mountinfo against that of its source.",
    guard="Entries with noauto or x-systemd.automount.",
    remedy="Mount it, then restart the containers.",
    host=_find,
)

"""Volumes that their NFS server will not let a node mount, by what the server itself exports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, ip_network
from typing import Literal

from .cluster import Cluster
from .document import Document
from .finding import NotSeen, Severity
from .host_view import HostView, Volume
from .sections import ADDRESSES, NFS_SERVER
from .sections.nfs_server import Export, NfsServer

Problem = Literal["not exported", "read-only", "no directory"]


@dataclass(frozen=True)
class Refused:
    """A volume of a node that its server will not serve as it is wanted."""

    volume: str
    host: str
    server: str  # the server's host
    path: str  # of the directory there
    problem: Problem
    seen: str  # the exports that decide
    severity: Severity  # advice only while nothing uses the volume there


def refusals(cluster: Cluster) -> Iterator[Refused | NotSeen]:
    """Of all volumes whose server was asked too, and runs."""
    for host in cluster.members():
        try:
            for volume in host.volumes.values():
                try:
                    yield from _refused(cluster, host, volume)
                except NotSeen as error:
                    yield error
        except NotSeen as error:
            yield error


def _refused(cluster: Cluster, host: HostView, volume: Volume) -> Iterator[Refused]:
    place = cluster.at_address(volume.server) if volume.is_nfs and volume.directory else None
    server = place.read(NFS_SERVER) if place else None
    if place is None or server is None or not server.threads or not server.listed:
        return
    found = _problem(server, volume, host, writes=any(_writes(one, volume.name) for one in host.containers()))
    if found is None:
        return
    problem, path, exports = found
    used = _used(cluster, host, volume.name)
    shown = ", ".join(f"{one.path} {one.client}({'ro' if 'ro' in one.options else 'rw'})" for one in exports)
    severity = Severity.ERROR if used else Severity.ADVICE
    yield Refused(volume.name, host.name, place.name, path, problem, shown or "nothing", severity)


def _problem(
    server: NfsServer, volume: Volume, host: HostView, writes: bool
) -> tuple[Problem, str, Sequence[Export]] | None:
    """What is wrong, with the directory and the exports above it; None when nothing is, or it cannot be known."""
    first: tuple[Problem, str, Sequence[Export]] | None = None
    for path in _paths(server, volume):
        if any(f"{one.path}/".startswith(f"{path.rstrip('/')}/") and one.path != path for one in server.exports):
            return None  # NFS 4 shows the way to an export, whoever may mount it
        above = [one for one in server.exports if f"{path}/".startswith(f"{one.path.rstrip('/')}/")]
        for_host = _for_host(above, host)
        if not for_host:
            first = first or ("not exported", path, above)
        elif server.directories.get(path, True) is False:
            first = first or ("no directory", path, for_host)
        elif writes and all("ro" in one.options for one in for_host):
            first = first or ("read-only", path, for_host)
        else:
            return None
    return first


def _paths(server: NfsServer, volume: Volume) -> list[str]:
    """Where its directory may be on the server: with NFS 4, paths begin at the export with fsid=0."""
    roots = [one.path.rstrip("/") for one in server.exports if one.options & {"fsid=0", "fsid=root"}]
    below = [f"{root}{volume.directory}".rstrip("/") or "/" for root in dict.fromkeys(roots)]
    if volume.version == 4 and below:
        return below
    return [volume.directory, *(below if volume.version == 0 else [])]


def _for_host(exports: Iterable[Export], host: HostView) -> list[Export]:
    """Those that the host may mount; raises NotSeen when that depends on names."""
    addresses = [at for card in host.read(ADDRESSES) for at in card.addresses if isinstance(at, IPv4Interface)]
    found, names = [], []
    for one in exports:
        if one.client in ("*", "<world>"):
            found.append(one)
            continue
        try:
            network = ip_network(one.client, strict=False)
        except ValueError:
            names.append(one.client)
            continue
        if any(at.ip in network for at in addresses):
            found.append(one)
    if names and not found:
        raise NotSeen(host.name, f"its NFS server names clients by other means than addresses: {', '.join(names)}")
    return found


def _writes(container: Document, volume: str) -> bool:
    mounts = container.items("Mounts")
    return any(one.text("Name", default="") == volume and one.flag("RW") for one in mounts)


def _used(cluster: Cluster, host: HostView, volume: str) -> bool:
    """Whether a container there, or a service, mounts it."""
    if any(
        one.text("Name", default="") == volume for container in host.containers() for one in container.items("Mounts")
    ):
        return True
    return any(
        mount.text("Source", default="") == volume
        for service in cluster.services()
        for mount in service.items("Spec", "TaskTemplate", "ContainerSpec", "Mounts")
    )

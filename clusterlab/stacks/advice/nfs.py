"""Advice on volumes on NFS."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from clusterlab.stacks.given import Given
from clusterlab.stacks.images import parse_image
from clusterlab.stacks.stack import Service, Stack, Volume

from .kind import AdviceKind, Hit, Subject

_DATABASES = frozenset(
    re.findall(
        r"\w+",
        """postgres postgresql postgis timescaledb pgvector mysql mariadb percona mongo mongodb redis valkey keydb etcd
        influxdb couchdb cassandra scylla neo4j elasticsearch opensearch clickhouse cockroach rethinkdb arangodb""",
    )
)
_VARIANTS = frozenset(
    re.findall(r"\w+", "server community enterprise alpine repmgr galera cluster sharded xtradb ha ce oss")
)


def is_nfs(volume: Volume) -> bool:
    """Whether the engine mounts a volume from an NFS server."""
    return _type(volume) in ("nfs", "nfs4")


def _type(volume: Volume) -> str:
    given = (volume.driver_opts or {}).get("type")
    local = volume.driver is None or volume.driver.value in ("", "local")
    return given.value if given and local else ""


def _options(volume: Volume) -> tuple[Given[str] | None, list[str]]:
    """The key `o` of a volume, and its options."""
    given = (volume.driver_opts or {}).get("o")
    return given, [option.strip() for option in given.value.split(",")] if given else []


def _having(option: str) -> Callable[[Subject], Iterator[Hit]]:
    def find(subject: Subject) -> Iterator[Hit]:
        for volume in subject.stack.volumes.values():
            given, options = _options(volume)
            if is_nfs(volume) and given and option in options:
                yield Hit(given.place, f"volumes.{volume.key}")

    return find


def _no_version(subject: Subject) -> Iterator[Hit]:
    for volume in subject.stack.volumes.values():
        given, options = _options(volume)
        known = any(re.fullmatch(r"(nfs)?vers=.+|v[234](\.[0-9])?", option) for option in options)
        if _type(volume) == "nfs" and not known:
            yield Hit(given.place if given else volume.place, f"volumes.{volume.key}")


def _quoted(subject: Subject) -> Iterator[Hit]:
    for volume in subject.stack.volumes.values():
        given, _ = _options(volume)
        if is_nfs(volume) and given and ('"' in given.value or "'" in given.value):
            yield Hit(given.place, f"volumes.{volume.key}")


def _databases(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        if not _is_database(service):
            continue
        for mount in service.volumes:
            if mount.type == "volume" and not mount.read_only and _is_on_nfs(subject.stack, mount.source):
                yield Hit(mount.place, name)


def _is_on_nfs(stack: Stack, key: str) -> bool:
    return key in stack.volumes and is_nfs(stack.volumes[key])


def _is_database(service: Service) -> bool:
    image = parse_image(service.image.value if service.image else "")
    if image.path.endswith("mssql/server"):
        return True
    first, *others = re.split(r"[-_.]", image.name)
    return first.rstrip("0123456789") in _DATABASES and all(other in _VARIANTS for other in others)


KINDS = [
    AdviceKind(
        "nfs-soft",
        "`soft` in `o` of a volume of type nfs or nfs4",
        "with soft, programs get I/O errors, and may lose what they wrote, when the server is slow or restarts",
        "Write hard.",
        _having("soft"),
    ),
    AdviceKind(
        "nfs-nolock",
        "`nolock` in `o` of a volume of type nfs or nfs4",
        "with nolock, locks count on one node alone: tasks on two nodes can both hold one",
        "Leave it out.",
        _having("nolock"),
    ),
    AdviceKind(
        "nfs-no-version",
        "type nfs (not nfs4) without `nfsvers` or `vers`",
        "without a version, the kernel's default decides, or 3 with its own daemon for locks",
        "Add nfsvers=4.2 to `o`, or write type: nfs4.",
        _no_version,
    ),
    AdviceKind(
        "nfs-quoted-address",
        "quotes within the value of `o`",
        "the quotes are part of the option, so that no task can mount the volume",
        "Remove the quotes inside: o: addr=192.168.98.1,rw",
        _quoted,
    ),
    AdviceKind(
        "db-on-nfs",
        "the image is that of a known database, and it writes a volume on NFS",
        "databases need locks and flushes that NFS does not give reliably: a failover can damage the data",
        "Use a local volume, and pin the service to a node with a constraint.",
        _databases,
    ),
]

"""Which capabilities the objects of a play need, and on which hosts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from clusterlab.capabilities import Capabilities

from .iscsi import disk_of
from .lab import Lab
from .long_forms import LongMount
from .playbook import Play
from .short_syntax import parse_mount

_VOLUME_TYPES = {"nfs": "nfs", "nfs4": "nfs"}  # type of a local volume: the capability that mounting it needs
_NETWORK_DRIVERS = {"macvlan": "macvlan", "ipvlan": "ipvlan"}


class Need(NamedTuple):
    """A capability that `subject`, an object such as "volume share", needs on a host."""

    host: str
    capability: str
    subject: str


def missing(needs: Iterable[Need], capabilities: Capabilities) -> Need | None:
    """The first need that its host does not meet."""
    return next((need for need in needs if not capabilities.has(need.host, need.capability)), None)


def disk_needs(lab: Lab, host: str, name: str) -> Iterator[Need]:
    """A disk is served by the target of the lab and used on its host."""
    for one in (host, *lab.inventory.with_role("iscsi_target")):
        yield Need(one, "iscsi", f"disk {name}")


def volume_needs(lab: Lab, play: Play, name: str, host: str) -> Iterator[Need]:
    """A volume that `host` mounts.

    A server that is a host of the lab must be capable, too.
    """
    options = play.volumes[name].driver_opts
    if disk_of(options) is not None:
        for need in disk_needs(lab, host, name):
            yield need._replace(subject=f"volume {name}")
    elif play.volumes[name].driver == "local" and str(options.get("type")) in _VOLUME_TYPES:
        for one in (host, *_servers(lab, str(options.get("o", "")))):
            yield Need(one, _VOLUME_TYPES[str(options["type"])], f"volume {name}")


def network_needs(play: Play, name: str, host: str) -> Iterator[Need]:
    """A network that containers on `host` join."""
    network = play.networks[name]
    if network.encrypted:
        yield Need(host, "xfrm", f"network {name}")
    if network.driver in _NETWORK_DRIVERS:
        yield Need(host, _NETWORK_DRIVERS[network.driver], f"network {name}")


def container_needs(lab: Lab, play: Play, name: str) -> Iterator[Need]:
    """A container needs what its volumes and networks need.

    Also the volumes of containers that it takes volumes from.
    """
    container = play.containers[name]
    for one in volume_users(play, name):
        yield from _mount_needs(lab, play, play.containers[one].volumes, container.host)
    yield from _join_needs(play, container.networks, container.host)


def service_needs(lab: Lab, play: Play, name: str, host: str) -> Iterator[Need]:
    """What a task of a service needs when it runs on `host`."""
    service = play.services[name]
    yield from _mount_needs(lab, play, service.volumes, host)
    yield from _join_needs(play, service.networks, host)


def why_service_cannot_run(lab: Lab, play: Play, name: str, capabilities: Capabilities) -> Need | None:
    """A need that is not met, when no host can run a task of this service; else None."""
    found = [
        missing(service_needs(lab, play, name, host), capabilities)
        for host in lab.inventory.swarm_hosts or lab.inventory.docker_hosts
    ]
    return found[0] if found and all(found) else None


def _mount_needs(lab: Lab, play: Play, volumes: Iterable[str | LongMount], host: str) -> Iterator[Need]:
    for text in volumes:
        source = parse_mount(text).source
        if source in play.volumes:
            yield from volume_needs(lab, play, source, host)


def volume_users(play: Play, name: str) -> list[str]:
    """A container, and all from which it takes volumes, directly or not."""
    found = [name]
    for one in found:
        others = [text.partition(":")[0] for text in play.containers[one].volumes_from]
        found += [other for other in others if other in play.containers and other not in found]
    return found


def _join_needs(play: Play, networks: Iterable[str], host: str) -> Iterator[Need]:
    for name in networks:
        if name in play.networks:
            yield from network_needs(play, name, host)


def volume_servers(lab: Lab, play: Play, name: str) -> list[str]:
    """The hosts of the lab that serve the data of a volume over NFS."""
    options = play.volumes[name].driver_opts
    return _servers(lab, str(options.get("o", ""))) if str(options.get("type")) in _VOLUME_TYPES else []


def _servers(lab: Lab, options: str) -> list[str]:
    """NFS servers of the lab that `addr=` in a volume's options names."""
    values = {one.partition("=")[2] for one in options.split(",") if one.startswith("addr=")}
    servers = lab.inventory.with_role("nfs_server")
    return [name for name in servers if values & {name, str(lab.inventory.hosts[name].address)}]

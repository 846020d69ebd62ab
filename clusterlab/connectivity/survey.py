"""What the cluster itself uses, which no inventory says.

Exports that its volumes mount, registries of its images, the nodes on which tasks run, what tests of other labs left
there, and whether each host is a node of this Swarm at all: by a name in somebody's SSH configuration another machine
may be reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar

from clusterlab.checks.kinds.registry import registry_of
from clusterlab.errors import ClusterlabError
from clusterlab.model.inventory import Inventory
from clusterlab.parallel import parallel, results_of
from clusterlab.remote import Host, Hosts
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.resources.base import LABEL_LAB, LABEL_PLAY
from clusterlab.resources.drains import drained
from clusterlab.resources.ownership import LABEL_BY, created_here

from .names import PLAY
from .own_exports import Directory, OwnExport, Place, own_exports

_NFS = "2049"
_DATAGRAMS = re.compile(r"(^|,)(proto=)?(udp|udp6|rdma)(,|$)")
_KNOCK = """for one; do
  (timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "${one%=*}" "${one##*=}" 2> /dev/null
   case $? in 1|124) echo "$one" ;; esac) &
done; wait"""
"""Prints those of SERVER=PORT that no connection over TCP reaches; a host without the tools says nothing."""
_SHOWN = re.compile(r"^(\d+) (\d+) ([0-7]+) (/.*)$", re.MULTILINE)  # a shell may print something of its own, too
_OF_TESTS = {"label": f"{LABEL_PLAY}={PLAY}"}  # a filter of listings
_FROM_REGISTRY = re.compile(r"@sha256:[0-9a-f]{64}$")  # which managers add to what they found in a registry
Json = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Export:
    """An export with the options of the volume that mounts it.

    `of` is one such volume, or "" for an export of the inventory; `on` is its server's name there, and `user` who reads
    it, UID:GID, or "" for the image's user.
    """

    type: str
    o: str
    device: str
    of: str
    on: str = ""
    user: str = ""

    @property
    def options(self) -> dict[str, str]:
        return {"type": self.type, "o": self.o, "device": self.device}

    @property
    def server(self) -> str:
        """What `addr=` names, or what stands before the path."""
        found = re.search(r"\baddr=([^,]+)", self.o)
        return found[1] if found else self.device.partition(":")[0]

    @property
    def port(self) -> int:
        found = re.search(r"(?:^|,)port=(\d+)", self.o)
        return int(found[1] if found else _NFS)

    @property
    def address(self) -> str:
        """SERVER=PORT, or "" for one that is not reached over TCP."""
        return "" if _DATAGRAMS.search(self.o) else f"{self.server}={self.port}"

    @property
    def path(self) -> str:
        return self.device.partition(":")[2]

    @property
    def shown(self) -> str:
        """Path and server, as a title has it."""
        return f"{self.path} of {self.on or self.server}"


@dataclass(frozen=True)
class Stray:
    """What the test of another lab created or did and did not take back; `host` is "" where that is the Swarm's.

    `by` is who created it, for people, and `here` says that it was this workstation.
    """

    kind: str
    name: str
    host: str
    lab: str
    by: str
    here: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.name} on {self.host}" if self.host else f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Seen:
    """What was found.

    `images` has one image of each registry that services use, `active` the nodes that take tasks, `idle` those of them
    without any, `silent` why nodes could not be asked, `machines` what kind of machine nodes are, as the kernel calls
    it, `unreached` the addresses of servers of exports that nodes do not reach, `strangers` the nodes of another Swarm,
    `strays` what tests of other labs left, `directories` what servers show of the inventory's exports, and `only_read`
    those that can be read and not written to.
    """

    exports: tuple[Export, ...] = ()
    images: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    machines: Mapping[str, str] = field(default_factory=dict)
    unreached: Mapping[str, frozenset[str]] = field(default_factory=dict)
    strangers: tuple[str, ...] = ()
    strays: tuple[Stray, ...] = ()
    directories: Mapping[Place, Directory] = field(default_factory=dict)
    only_read: tuple[Export, ...] = ()


def survey(hosts: Hosts, inventory: Inventory) -> Seen:
    """List the volumes of every node, and services and tasks through the managers.

    A node that does not answer is passed over. Raises ClusterlabError when no manager answers.
    """
    nodes, managers = inventory.swarm_hosts, inventory.with_role("swarm_manager")
    of_nodes, silent = answers(nodes, parallel(lambda name: _node(hosts[name]), nodes, name="volumes"))
    found = parallel(lambda name: _swarm(hosts[name]), managers, name="services")
    of_managers = list(answers(managers, found)[0].values()) or results_of(found)
    ids = {name: str(node.info["Swarm"]["NodeID"]) for name, node in of_nodes.items()}
    services = [one for each in of_managers for one in each.services]
    active = {node for each in of_managers for node in each.active}
    free = {node for each in of_managers for node in each.free}
    volumes = [one for node in of_nodes.values() for one in node.volumes]
    used = tuple(exports([*volumes, *_volumes_of(services)]))
    directories = _directories(hosts, inventory)
    own = own_exports(inventory, directories)
    only_read = tuple(_to_read(one) for one in own if one.only_read and not one.closed)
    return Seen(
        exports=used,
        images=tuple(images(services)),
        idle=tuple(name for name, id_ in ids.items() if id_ in free),
        active=tuple(name for name, id_ in ids.items() if id_ in active),
        silent=silent,
        machines={name: str(node.info["Architecture"]) for name, node in of_nodes.items()},
        unreached=_unreached(hosts, list(of_nodes), [*used, *only_read]),
        strangers=_strangers(ids, of_managers[0]),
        strays=tuple(dict.fromkeys(_strays(inventory.lab, of_nodes, of_managers))),
        directories=directories,
        only_read=only_read,
    )


def answers(names: Sequence[str], found: Sequence[T | ClusterlabError]) -> tuple[dict[str, T], tuple[str, ...]]:
    """What each of `names` answered, and why others did not."""
    named = dict(zip(names, found, strict=True))
    silent = tuple(one.message for one in named.values() if isinstance(one, ClusterlabError))
    return {name: one for name, one in named.items() if not isinstance(one, ClusterlabError)}, silent


def exports(volumes: Iterable[Json]) -> Iterator[Export]:
    """Each export once, with the options of the first volume that mounts it.

    Exports of the test itself are left out.
    """
    known: set[tuple[str, str]] = set()
    for volume in volumes:
        options = {str(key).lower(): str(value) for key, value in (volume.get("Options") or {}).items()}
        ours = (volume.get("Labels") or {}).get(LABEL_PLAY) == PLAY
        if ours or volume.get("Driver") != "local" or options.get("type") not in ("nfs", "nfs4"):
            continue
        found = Export(options["type"], options.get("o", ""), options.get("device", ""), str(volume["Name"]))
        if (found.o, found.device) not in known:
            known.add((found.o, found.device))
            yield found


def images(services: Iterable[Json]) -> list[str]:
    """One image for each registry: the first by name."""
    found: dict[str, str] = {}
    for image in sorted(str(one["Spec"]["TaskTemplate"].get("ContainerSpec", {}).get("Image")) for one in services):
        if _FROM_REGISTRY.search(image):
            found.setdefault(registry_of(image), _FROM_REGISTRY.sub("", image))
    return list(found.values())


def strays(lab: str, kind: str, objects: Iterable[Json], host: str = "") -> Iterator[Stray]:
    """Those objects of one kind that the test of another lab than this one created."""
    for one in objects:
        spec = one.get("Spec") or one
        labels = spec.get("Labels") or {}
        owner = labels.get(LABEL_LAB, "")
        if labels.get(LABEL_PLAY) == PLAY and owner not in ("", lab):
            name = str(spec["Name"] if "Name" in spec else one["Names"][0].lstrip("/"))
            yield Stray(kind, name, host, owner, labels.get(LABEL_BY, ""), created_here(labels))


@dataclass(frozen=True)
class _Node:
    """What the engine of a node says of itself, its volumes, and the containers of tests."""

    info: Json
    volumes: Sequence[Json]
    containers: Sequence[Json]


@dataclass(frozen=True)
class _Swarm:
    """What a manager lists: services and nodes, networks of tests, and ids of active nodes, `free` without any task."""

    services: Sequence[Json]
    nodes: Sequence[Json]
    networks: Sequence[Json]
    active: frozenset[str]
    free: frozenset[str]


def _strays(lab: str, nodes: Mapping[str, _Node], managers: Iterable[_Swarm]) -> Iterator[Stray]:
    for swarm in managers:
        yield from strays(lab, "network", swarm.networks)
        yield from strays(lab, "service", swarm.services)
        for node in swarm.nodes:
            if (found := drained(node)) and found.play == PLAY and found.lab != lab:
                yield Stray("drained node", str(node["Description"]["Hostname"]), "", found.lab, "", False)
    for name, one in nodes.items():
        yield from chain(strays(lab, "container", one.containers, name), strays(lab, "volume", one.volumes, name))


def _strangers(ids: Mapping[str, str], swarm: _Swarm) -> tuple[str, ...]:
    """Those whose engine belongs to another Swarm; one in none is for the statements to name."""
    members = {"", *(str(one["ID"]) for one in swarm.nodes)}
    return tuple(name for name, id_ in ids.items() if id_ not in members)


def _unreached(hosts: Hosts, nodes: Sequence[str], used: Iterable[Export]) -> dict[str, frozenset[str]]:
    """Of each node, the addresses of servers that it does not reach: a mount would block its engine for minutes."""
    addresses = sorted({one.address for one in used} - {""})
    if not addresses:
        return {}
    argv = ["sh", "-c", _KNOCK, "sh", *addresses]
    found = parallel(lambda name: hosts[name].run(argv, timeout=60.0).stdout.split(), nodes, name="servers")
    return {name: frozenset(one) for name, one in answers(nodes, found)[0].items()}


def _directories(hosts: Hosts, inventory: Inventory) -> dict[Place, Directory]:
    """What each server shows of the directories that it exports; nothing of one that does not answer."""
    paths = [str(one.path) for one in inventory.nfs.exports]
    servers = inventory.with_role("nfs_server") if paths else []
    argv = ["stat", "-c", "%u %g %a %n", "--", *paths]
    asked = parallel(lambda name: hosts[name].run(argv, timeout=60.0).stdout, servers, name="exports")
    printed = answers(servers, asked)[0]
    found = [(name, *one) for name, text in printed.items() for one in _SHOWN.findall(text)]
    return {(name, path): Directory(int(uid), int(gid), int(mode, 8)) for name, uid, gid, mode, path in found}


def _to_read(export: OwnExport) -> Export:
    options = f"addr={export.address},ro,nfsvers=4.2"
    return Export("nfs", options, f":{export.path}", of="", on=export.server, user=export.user)


def _node(host: Host) -> _Node:
    with engine_errors(host, "list the volumes and containers"):
        volumes = host.docker.volumes()["Volumes"] or []
        return _Node(host.docker.info(), volumes, host.docker.containers(all=True, filters=_OF_TESTS))


def _swarm(host: Host) -> _Swarm:
    """What a manager lists; a node is free on which no task runs or will run."""
    with engine_errors(host, "list the services, tasks, nodes and networks"):
        services: Sequence[Json] = host.docker.services()  # type: ignore[no-untyped-call]
        tasks: Sequence[Json] = host.docker.tasks(filters={"desired-state": ["running", "accepted"]})  # type: ignore[no-untyped-call]
        nodes = host.docker.nodes()
        active = frozenset(str(one["ID"]) for one in nodes if one["Spec"]["Availability"] == "active")
        free = active - {str(one.get("NodeID") or "") for one in tasks}
        return _Swarm(services, nodes, host.docker.networks(filters=_OF_TESTS), active, free)


def _volumes_of(services: Iterable[Json]) -> Iterator[Json]:
    """The volumes that tasks create where they run, as listings of volumes have them."""
    for service in services:
        for mount in service["Spec"]["TaskTemplate"].get("ContainerSpec", {}).get("Mounts") or []:
            driver = (mount.get("VolumeOptions") or {}).get("DriverConfig") or {}
            name = str(mount.get("Source") or service["Spec"]["Name"])
            yield {"Name": name, "Driver": driver.get("Name") or "local", "Options": driver.get("Options")}

"""The inventory: which machines a lab has, and what they serve as."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, create_model

from clusterlab.errors import UsageError
from clusterlab.machines.base import MachineKind
from clusterlab.machines.kinds import DEFAULT, MACHINE_KINDS

from . import engine, groups, node_labels, sysctl
from .base import Issue, Model, Name, ObjectName, Size, Strings, Subnet, no_number
from .engine import EngineSettings
from .groups import Member, Role
from .iscsi import Iscsi
from .node_labels import NodeLabels
from .problems import listed, suggest
from .swarm import Swarm
from .sysctl import Sysctls

Availability = Literal["active", "pause", "drain"]

RECIPES = ("busybox", "mariadb", "mariadb-client", "nginx")
"""What `build:` can name: images that clusterlab makes from distribution packages."""


DATA_PATH = "data_path"
"""The key of a host's address for overlay traffic."""
_Address = Annotated[IPv4Address, Field(strict=False), BeforeValidator(no_number)]
_Path = Annotated[Path, Field(strict=False)]
_Settings = TypeVar("_Settings", bound=Model)
_JUMP = re.compile(r"^([^@\s:]+@)?[^@\s:]+(:\d+)?$")


class Network(Model):
    """The LAN between the machines."""

    subnet: Subnet = Field(default=IPv4Network("192.168.98.0/24"), examples=["192.168.98.0/24"])
    mtu: int | None = Field(
        default=None,
        ge=576,
        le=1500,
        description="of the machines' cards in it, in bytes (default: 1500)",
        examples=[1400],
    )


class Ssh(Model):
    """How existing hosts are reached.

    What is not said comes from the user's SSH configuration.
    """

    user: str | None = Field(default=None, description="the user to log in as")
    port: int | None = Field(default=None, ge=1, le=65535)
    key: _Path | None = Field(default=None, description="a private key file", examples=["~/.ssh/id_ed25519"])
    jump: str | None = Field(default=None, description="a jump host, as user@host:port")
    become: bool | None = Field(default=None, description="run commands through sudo; default: unless the user is root")
    address: str | None = Field(default=None, description="where SSH connects to, when it is not the LAN address")
    known_hosts: _Path | None = Field(default=None, description="a file in OpenSSH's format with the hosts' keys")
    docker_socket: _Path | None = Field(
        default=None, description="the Docker engine's socket on the host", examples=["/run/user/1000/docker.sock"]
    )

    def issues(self) -> Iterator[Issue]:
        if self.jump is not None and not _JUMP.match(self.jump):
            yield Issue(("jump",), f"'{self.jump}' is not a jump host", "Write it as user@host:port.")
        for name in ("key", "known_hosts"):
            path: Path | None = getattr(self, name)
            if path is not None and not path.expanduser().is_absolute():
                yield Issue((name,), f"'{path}' is not an absolute path", "Begin it with / or ~/.")
        if self.docker_socket is not None and not self.docker_socket.is_absolute():
            yield Issue(("docker_socket",), f"'{self.docker_socket}' is not an absolute path", "Begin it with /.")


class Host(Model):
    """One machine of the lab."""

    address: _Address = Field(description="the address on the LAN", examples=["192.168.98.11"])
    addresses: dict[ObjectName, _Address] = Field(
        default_factory=dict,
        description="further addresses of an existing host, by what they are for: data_path is that of the Swarm's "
        "overlay traffic; plays write ${hosts.NAME.addresses.KEY}",
        examples=[{"data_path": "10.2.0.11", "storage": "10.3.0.11"}],
    )
    roles: list[Role] = Field(default_factory=list, description="what the host serves as")
    availability: Availability | None = Field(
        default=None,
        description="whether the Swarm gives this node tasks; default: active, and as found in a Swarm that clusterlab "
        "did not initialise",
    )
    labels: NodeLabels
    ssh: Ssh = Field(default=Ssh(), description="how this host is reached, where it differs from the lab's ssh")
    sysctl: Sysctls
    engine: EngineSettings
    memory: Size | None = Field(default=None, description="memory of this virtual machine", examples=["2G"])
    cpus: int | None = Field(default=None, ge=1, description="processors of this virtual machine")
    release: str | None = Field(
        default=None,
        pattern=r"^[a-z]+$",
        description="the Debian release of this machine, and with it the engine's (default: that of qemu.release)",
        examples=["bookworm"],
    )

    def issues(self) -> Iterator[Issue]:
        for index, role in enumerate(self.roles):
            if role in self.roles[:index]:
                yield Issue(("roles", index), f"the role '{role}' appears twice")
            elif role.startswith("swarm_") and "docker" not in self.roles:
                remedy = "Add the role docker to this host: the Swarm is a part of the Docker engine."
                yield Issue(("roles", index), f"the role '{role}' needs the role 'docker'", remedy)
        if {"swarm_manager", "swarm_worker"} <= set(self.roles):
            remedy = "Leave swarm_worker out: a manager runs containers too."
            yield Issue(("roles",), "a host is either swarm_manager or swarm_worker, not both", remedy)
        yield from sysctl.issues(self.sysctl)
        yield from engine.issues(self.engine)
        if self.engine and "docker" not in self.roles:
            remedy = "Add the role docker to this host, or leave engine out."
            yield Issue(("engine",), "only a Docker host has an engine", remedy, key=True)
        if DATA_PATH in self.addresses and not {"swarm_manager", "swarm_worker"} & set(self.roles):
            remedy = "Add the role swarm_manager or swarm_worker, or leave it out."
            yield Issue(("addresses", DATA_PATH), "only a Swarm node has overlay traffic", remedy, key=True)
        if self.availability is not None and not {"swarm_manager", "swarm_worker"} & set(self.roles):
            remedy = "Add the role swarm_manager or swarm_worker, or leave availability out."
            yield Issue(("availability",), "only a Swarm node has an availability", remedy, key=True)
        if self.labels and not {"swarm_manager", "swarm_worker"} & set(self.roles):
            remedy = "Add the role swarm_manager or swarm_worker, or leave labels out."
            yield Issue(("labels",), "only a Swarm node has labels", remedy, key=True)
        yield from node_labels.issues(self.labels)


class Export(Model):
    """A directory that the NFS servers share; keys as in exports(5)."""

    path: _Path = Field(description="the directory on the server", examples=["/shares"])
    clients: Strings = Field(description="who may mount it", examples=["${network.subnet}"])
    options: list[str] = Field(default=["rw", "sync", "no_subtree_check"], description="as in exports(5)")

    def issues(self) -> Iterator[Issue]:
        if not self.path.is_absolute():
            yield Issue(("path",), f"'{self.path}' is not an absolute path", "Begin it with /.")
        if not self.clients:
            yield Issue(
                ("clients",),
                "no clients: nobody could mount this",
                'Name at least one, for example "${network.subnet}".',
            )
        for key, words in (("clients", self.clients), ("options", self.options)):
            for index, word in enumerate(words):
                if not re.fullmatch(r"[^\s(),\"#]+", word):
                    remedy = "Write one per item of the list, without spaces, commas and parentheses."
                    yield Issue((key, index), f"'{word}' is not one word of exports(5)", remedy)
        if {"rw", "ro"} <= set(self.options):
            yield Issue(("options",), "both 'rw' and 'ro': an export is one or the other")


class Nfs(Model):
    """What the NFS servers of the lab export, and servers that clusterlab does not manage."""

    exports: list[Export] = Field(default_factory=list)
    servers: dict[Name, _Address] = Field(
        default_factory=dict,
        description="NFS servers that clusterlab does not manage, such as a NAS, in whatever network; plays write "
        "${nfs.servers.NAME}",
        examples=[{"nas": "10.0.0.5"}],
    )

    def issues(self) -> Iterator[Issue]:
        paths = [export.path for export in self.exports]
        for index, path in enumerate(paths):
            if path in paths[:index]:
                yield Issue(("exports", index, "path"), f"'{path}' is exported twice", "Put its clients in one list.")


class ImageUser(Model):
    """A user that an image has, and runs as."""

    name: str = Field(examples=["elo"])
    uid: int = Field(ge=1, le=65533, examples=[1000])

    def issues(self) -> Iterator[Issue]:
        if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,30}", self.name):
            remedy = "Use lower-case letters, digits, _ and -, at most 31, a letter or _ first."
            yield Issue(("name",), f"'{self.name}' is not a user's name", remedy)


class Image(Model):
    """Where an image that plays use comes from: exactly one of the three."""

    build: str | None = Field(
        default=None,
        description="a recipe: built from distribution packages, no registry needed",
        json_schema_extra={"enum": [*RECIPES]},
    )
    pull: str | None = Field(
        default=None, description="a reference that the engines pull from a registry", examples=["nginx:1.27"]
    )
    archive: _Path | None = Field(default=None, description="a file made by `docker save`; relative to the inventory")
    user: ImageUser | None = Field(default=None, description="with build: a user that the image has and runs as")
    volumes: list[str] = Field(
        default_factory=list, description="with build: paths of VOLUME", examples=[["/var/lib/store"]]
    )

    def issues(self) -> Iterator[Issue]:
        given = self.given("build", "pull", "archive")
        if len(given) != 1:
            found = f"not {listed(given)}" if given else "but none is given"
            yield Issue((), f"an image needs exactly one of build, pull and archive, {found}")
        if self.build is not None and self.build not in RECIPES:
            remedy = suggest(self.build, RECIPES, "Recipes") + " Or give a pull or an archive instead."
            yield Issue(("build",), f"unknown recipe '{self.build}'", remedy)
        if self.pull is not None and not re.fullmatch(r"[^\s]+", self.pull):
            yield Issue(("pull",), f"'{self.pull}' is not an image reference", 'Write it like "nginx:1.27".')
        for key in self.given("user", "volumes") if self.build is None else []:
            remedy = "Leave it out: an image that is built elsewhere keeps its own."
            yield Issue((key,), f"'{key}' belongs to build", remedy, key=True)
        for index, path in enumerate(self.volumes):
            if not re.fullmatch(r"(/[\w.-]+)+", path) or ".." in path:
                yield Issue(
                    ("volumes", index), f"'{path}' is not a path in the image", "Begin it with /, for example /data."
                )
            elif path in self.volumes[:index]:
                yield Issue(("volumes", index), f"'{path}' appears twice")


class _Inventory(Model):
    """The machines of a lab, what they serve as, and where images come from.

    Besides these keys it has a section for each kind of machines with settings, named as the kind.
    """

    lab: Name = Field(description="the lab's name: state, machines and labels carry it", examples=["demo"])
    machines: str = Field(default=DEFAULT.name, description="what provides the machines")
    network: Network = Network()
    hosts: dict[Name, Host] = Field(min_length=1)
    swarm: Swarm = Swarm()
    nfs: Nfs = Nfs()
    iscsi: Iscsi = Iscsi()
    sysctl: Sysctls
    engine: EngineSettings
    images: dict[str, Image] = Field(default_factory=dict, description="the names that plays use")
    ssh: Ssh = Field(default=Ssh(), description="how the hosts of an existing lab are reached")

    allow_actions: bool | None = Field(
        default=None,
        description="whether checks may stop, restart, scale, drain ... what the lab created; default: no on machines "
        "that clusterlab did not create, yes on all others",
    )

    allow_faults: bool | list[str] | None = Field(
        default=None,
        description="which faults may be injected: true, or a list of their names; default: none on machines that "
        "clusterlab did not create, all on others. On the former, faults that may lose data or a host must be named",
    )

    shared: bool = Field(
        default=False,
        description="on existing machines: several users or workstations work on this lab, and change what any of them "
        "created",
    )

    @property
    def actions_allowed(self) -> bool:
        """Whether checks may change what the lab created."""
        return not self.kind.foreign if self.allow_actions is None else self.allow_actions

    def issues(self) -> Iterator[Issue]:
        yield from sysctl.issues(self.sysctl)
        yield from engine.issues(self.engine)

    def with_role(self, *roles: Role) -> list[str]:
        """Names of the hosts that have any of `roles`, in the inventory's order."""
        return [name for name, host in self.hosts.items() if set(roles) & set(host.roles)]

    def expand(self, places: Iterable[str]) -> list[str]:
        """Host names for a list of hosts and groups (see `groups`).

        In the inventory's order, each once.
        """
        return groups.expand(places, self._members())

    def _members(self) -> dict[str, Member]:
        with_lun = {lun.host for lun in self.iscsi.luns}
        return {name: Member(host.roles, host.availability, name in with_lun) for name, host in self.hosts.items()}

    @property
    def docker_hosts(self) -> list[str]:
        return self.with_role("docker")

    @property
    def swarm_hosts(self) -> list[str]:
        return self.with_role("swarm_manager", "swarm_worker")

    @property
    def active_nodes(self) -> list[str]:
        """The nodes of the Swarm that may run tasks.

        Those that the inventory neither drains nor pauses.
        """
        return self.expand([groups.ACTIVE_NODE])

    @property
    def kind(self) -> MachineKind:
        """What the lab's kind of machines declares."""
        return MACHINE_KINDS[self.machines]

    def section(self, model: type[_Settings]) -> _Settings:
        """The settings of the kind of machines that has this model for them."""
        return next(value for value in vars(self).values() if isinstance(value, model))

    @property
    def release(self) -> str:
        """The Debian release that machines and images are built from."""
        kind = next(one for one in (self.kind, *MACHINE_KINDS.values()) if one.has_setting("release"))
        return str(getattr(self, kind.name).release)

    def release_of(self, host: str) -> str:
        """The Debian release of a host's machine."""
        return self.hosts[host].release or self.release


def _complete() -> type[_Inventory]:
    """The inventory's model, with the names and sections of every kind of machines.

    Raises UsageError for a kind whose section has the name of another key.
    """
    if taken := sorted(_Inventory.model_fields.keys() & MACHINE_KINDS.keys()):
        raise UsageError(f"a kind of machines cannot be called {listed(taken)}: inventories have a key of that name")
    fields: dict[str, Any] = {
        kind.name: (kind.settings, kind.settings()) for kind in MACHINE_KINDS.values() if kind.settings
    }
    described = "; ".join(f"{kind.name}: {kind.summary}" for kind in MACHINE_KINDS.values())
    machines = Field(default=DEFAULT.name, description=f"who runs them ({described})")
    fields["machines"] = (Literal[*MACHINE_KINDS], machines)
    return create_model("Inventory", __base__=_Inventory, __doc__=_Inventory.__doc__, __module__=__name__, **fields)


if TYPE_CHECKING:
    Inventory = _Inventory
else:
    Inventory = _complete()

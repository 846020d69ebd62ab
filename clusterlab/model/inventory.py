"""The inventory: which machines a lab has, and what they serve as."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, StringConstraints

from .base import Duration, Fault, Model, Name, Strings
from .iscsi import Iscsi
from .problems import listed, suggest

Role = Literal["docker", "swarm_manager", "swarm_worker", "nfs_server", "iscsi_target"]
ROLES: tuple[Role, ...] = get_args(Role)
MachineKind = Literal["qemu", "namespaces", "vagrant", "existing"]
Availability = Literal["active", "pause", "drain"]

SIZE_PATTERN = r"^[1-9]\d*[MG]$"
Size = Annotated[str, StringConstraints(pattern=SIZE_PATTERN)]
"""An amount of memory or disk: 512M, 1G."""

RECIPES = ("busybox", "mariadb", "nginx")
"""What `build:` can name: images that clusterlab makes from distribution packages."""


def _no_number(value: object) -> object:
    """Numbers stand for addresses, too, but nobody means that."""
    if isinstance(value, int | float):
        raise ValueError(f"must be an address, as 192.168.98.1, not {str(value).lower()}")
    return value


_Address = Annotated[IPv4Address, Field(strict=False), BeforeValidator(_no_number)]
_Subnet = Annotated[IPv4Network, Field(strict=False), BeforeValidator(_no_number)]
_Path = Annotated[Path, Field(strict=False)]
_JUMP = re.compile(r"^([^@\s:]+@)?[^@\s:]+(:\d+)?$")


class Network(Model):
    """The LAN between the machines."""

    subnet: _Subnet = Field(default=IPv4Network("192.168.98.0/24"), examples=["192.168.98.0/24"])


class Ssh(Model):
    """How existing hosts are reached; what is not said comes from the user's SSH configuration."""

    user: str | None = Field(default=None, description="the user to log in as")
    port: int | None = Field(default=None, ge=1, le=65535)
    key: _Path | None = Field(default=None, description="a private key file", examples=["~/.ssh/id_ed25519"])
    jump: str | None = Field(default=None, description="a jump host, as user@host:port")
    become: bool | None = Field(default=None, description="run commands through sudo; default: unless the user is root")
    address: str | None = Field(default=None, description="where SSH connects to, when it is not the LAN address")
    known_hosts: _Path | None = Field(default=None, description="a file in OpenSSH's format with the hosts' keys")

    def faults(self) -> Iterator[Fault]:
        if self.jump is not None and not _JUMP.match(self.jump):
            yield Fault(("jump",), f"'{self.jump}' is not a jump host", "Write it as user@host:port.")
        for name in ("key", "known_hosts"):
            path: Path | None = getattr(self, name)
            if path is not None and not path.expanduser().is_absolute():
                yield Fault((name,), f"'{path}' is not an absolute path", "Begin it with / or ~/.")


class Host(Model):
    """One machine of the lab."""

    address: _Address = Field(description="the address on the LAN", examples=["192.168.98.11"])
    roles: list[Role] = Field(default_factory=list, description="what the host serves as")
    availability: Availability | None = Field(
        default=None,
        description="whether the Swarm gives this node tasks; default: active, and as found in a Swarm that clusterlab "
        "did not initialise",
    )
    ssh: Ssh = Field(default=Ssh(), description="how this host is reached, where it differs from the lab's ssh")
    memory: Size | None = Field(default=None, description="memory of this virtual machine", examples=["2G"])
    cpus: int | None = Field(default=None, ge=1, description="processors of this virtual machine")

    def faults(self) -> Iterator[Fault]:
        for index, role in enumerate(self.roles):
            if role in self.roles[:index]:
                yield Fault(("roles", index), f"the role '{role}' is here twice")
            elif role.startswith("swarm_") and "docker" not in self.roles:
                remedy = "Add the role docker to this host: the Swarm is a part of the Docker engine."
                yield Fault(("roles", index), f"the role '{role}' needs the role 'docker'", remedy)
        if {"swarm_manager", "swarm_worker"} <= set(self.roles):
            remedy = "Leave swarm_worker out: a manager runs containers too."
            yield Fault(("roles",), "a host is either swarm_manager or swarm_worker, not both", remedy)
        if self.availability is not None and not {"swarm_manager", "swarm_worker"} & set(self.roles):
            remedy = "Add the role swarm_manager or swarm_worker, or leave availability out."
            yield Fault(("availability",), "only a Swarm node has an availability", remedy, key=True)


class Export(Model):
    """A directory that the NFS servers share; keys as in exports(5)."""

    path: _Path = Field(description="the directory on the server", examples=["/shares"])
    clients: Strings = Field(description="who may mount it", examples=["${network.subnet}"])
    options: list[str] = Field(default=["rw", "sync", "no_subtree_check"], description="as in exports(5)")

    def faults(self) -> Iterator[Fault]:
        if not self.path.is_absolute():
            yield Fault(("path",), f"'{self.path}' is not an absolute path", "Begin it with /.")
        if not self.clients:
            yield Fault(
                ("clients",), "no clients: nobody could mount this", 'Name at least one, as "${network.subnet}".'
            )
        for key, words in (("clients", self.clients), ("options", self.options)):
            for index, word in enumerate(words):
                if not re.fullmatch(r"[^\s(),\"#]+", word):
                    remedy = "Write one per item of the list, without spaces, commas and parentheses."
                    yield Fault((key, index), f"'{word}' is not one word of exports(5)", remedy)
        if {"rw", "ro"} <= set(self.options):
            yield Fault(("options",), "both 'rw' and 'ro': an export is one or the other")


class Nfs(Model):
    """What the NFS servers of the lab export."""

    exports: list[Export] = Field(default_factory=list)

    def faults(self) -> Iterator[Fault]:
        paths = [export.path for export in self.exports]
        for index, path in enumerate(paths):
            if path in paths[:index]:
                yield Fault(("exports", index, "path"), f"'{path}' is exported twice", "Put its clients in one list.")


class Swarm(Model):
    """What clusterlab may do to a Swarm that it did not initialise."""

    adopt: bool = Field(
        default=False,
        description="join hosts to a Swarm that clusterlab did not initialise, and give its nodes the roles and "
        "availabilities of the inventory",
    )


class ImageUser(Model):
    """A user that an image has, and runs as."""

    name: str = Field(examples=["elo"])
    uid: int = Field(ge=1, le=65533, examples=[1000])

    def faults(self) -> Iterator[Fault]:
        if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,30}", self.name):
            remedy = "Use lower-case letters, digits, _ and -, at most 31, a letter or _ first."
            yield Fault(("name",), f"'{self.name}' is not a user's name", remedy)


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

    def faults(self) -> Iterator[Fault]:
        given = self.given("build", "pull", "archive")
        if len(given) != 1:
            found = f"not {listed(given)}" if given else "but none is here"
            yield Fault((), f"an image needs exactly one of build, pull and archive, {found}")
        if self.build is not None and self.build not in RECIPES:
            remedy = suggest(self.build, RECIPES, "Recipes") + " Or give a pull or an archive instead."
            yield Fault(("build",), f"there is no recipe '{self.build}'", remedy)
        if self.pull is not None and not re.fullmatch(r"[^\s]+", self.pull):
            yield Fault(("pull",), f"'{self.pull}' is not an image reference", 'Write it like "nginx:1.27".')
        for key in self.given("user", "volumes") if self.build is None else []:
            remedy = "Leave it out: an image that is made elsewhere has what it was made with."
            yield Fault((key,), f"'{key}' belongs to build", remedy, key=True)
        for index, path in enumerate(self.volumes):
            if not re.fullmatch(r"(/[\w.-]+)+", path) or ".." in path:
                yield Fault(("volumes", index), f"'{path}' is not a path in the image", "Begin it with /, as /data.")
            elif path in self.volumes[:index]:
                yield Fault(("volumes", index), f"'{path}' is here twice")


class Qemu(Model):
    """The virtual machines of a qemu lab; a host's own memory and cpus come first."""

    memory: Size = Field(default="1G", examples=["512M", "2G"])
    cpus: int = Field(default=1, ge=1)
    disk: Size = Field(default="8G", examples=["8G"])
    release: str = Field(default="trixie", pattern=r"^[a-z]+$", description="the Debian release of the machines")
    boot_timeout: Duration = Field(default=900.0, description="how long a machine may take until it answers")


class Vagrant(Model):
    """The machines of a vagrant lab; a host's own memory and cpus come first. vagrant/Vagrantfile reads this, too."""

    provider: Literal["libvirt", "virtualbox"] = Field(default="libvirt", description="who runs the virtual machines")
    box: str | None = Field(
        default=None,
        description="a public box; without it, the one that `clusterlab box` builds (libvirt only)",
        examples=["debian/bookworm64"],
    )
    box_version: str | None = Field(default=None, description="which versions of it, as Vagrant says it: '~> 12.0'")
    memory: Size = Field(default="1G", examples=["512M", "2G"])
    cpus: int = Field(default=1, ge=1)
    disk: Size | None = Field(default=None, description="size of the disk in the box that is built; default: 8G")
    boot_timeout: Duration = Field(default=900.0, description="how long a machine may take until it answers")
    folder: _Path | None = Field(
        default=None,
        description="the folder with the Vagrantfile, relative to the inventory; default: clusterlab's own",
    )

    def faults(self) -> Iterator[Fault]:
        if self.box is None and self.provider != "libvirt":
            remedy = "Name a public one: box: debian/bookworm64"
            yield Fault(("provider",), f"there is no box for {self.provider}: clusterlab builds it for libvirt", remedy)
        if self.box is not None and not re.fullmatch(r"[\w.-]+/[\w.-]+", self.box):
            yield Fault(("box",), f"'{self.box}' is not the name of a box", "Write it as debian/bookworm64.")
        if self.box is None and self.box_version is not None:
            remedy = "Leave it out: clusterlab uses the box that it built last."
            yield Fault(("box_version",), "'box_version' is for a box that is named with box", remedy, key=True)
        if self.box is not None and self.disk is not None:
            remedy = "Leave it out: a public box has a disk of its own size."
            yield Fault(("disk",), "'disk' is for the box that clusterlab builds", remedy, key=True)
        if self.boot_timeout < 1:
            yield Fault(("boot_timeout",), "no machine answers within that", "Write 15m, for example.")


class Inventory(Model):
    """The machines of a lab, what they serve as, and where images come from."""

    lab: Name = Field(description="the lab's name: state, machines and labels carry it", examples=["demo"])
    machines: MachineKind = Field(default="qemu", description="who makes the machines exist")
    network: Network = Network()
    hosts: dict[Name, Host] = Field(min_length=1)
    swarm: Swarm = Swarm()
    nfs: Nfs = Nfs()
    iscsi: Iscsi = Iscsi()
    images: dict[str, Image] = Field(default_factory=dict, description="the names that plays use")
    qemu: Qemu = Qemu()
    vagrant: Vagrant = Vagrant()
    ssh: Ssh = Field(default=Ssh(), description="how the hosts of an existing lab are reached")

    def with_role(self, *roles: Role) -> list[str]:
        """Names of the hosts that have any of `roles`, in the inventory's order."""
        return [name for name, host in self.hosts.items() if set(roles) & set(host.roles)]

    @property
    def docker_hosts(self) -> list[str]:
        return self.with_role("docker")

    @property
    def swarm_hosts(self) -> list[str]:
        return self.with_role("swarm_manager", "swarm_worker")

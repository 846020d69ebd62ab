"""The inventory: which machines a lab has, and what they serve as."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .base import Duration, Model, Name, Strings

Role = Literal["docker", "swarm_manager", "swarm_worker", "nfs_server", "iscsi_target"]
MachineKind = Literal["qemu", "namespaces", "vagrant", "existing"]
Size = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*[MG]$")]
"""An amount of memory or disk: 512M, 1G."""


class Network(Model):
    """The LAN between the machines."""

    subnet: IPv4Network = IPv4Network("192.168.98.0/24")


class Ssh(Model):
    """How existing hosts are reached; what is not said comes from the user's SSH configuration."""

    user: str | None = None
    port: int | None = Field(default=None, ge=1, le=65535)
    key: Path | None = None
    jump: str | None = Field(default=None, description="a jump host, as user@host:port")
    become: bool | None = Field(default=None, description="run commands through sudo; default: unless the user is root")
    address: str | None = Field(default=None, description="where SSH connects to, when it is not the LAN address")
    known_hosts: Path | None = None


class Host(Model):
    address: IPv4Address = Field(description="the address on the LAN")
    roles: list[Role] = Field(default_factory=list)
    ssh: Ssh = Ssh()
    memory: Size | None = None
    cpus: int | None = Field(default=None, ge=1)


class Export(Model):
    """A directory that the NFS servers share; keys as in exports(5)."""

    path: Path
    clients: Strings
    options: list[str] = Field(default=["rw", "sync", "no_subtree_check"])


class Nfs(Model):
    exports: list[Export] = Field(default_factory=list)


class Image(Model):
    """Where an image that plays use comes from: exactly one of the three."""

    build: str | None = Field(default=None, description="a recipe: built from distribution packages, no registry needed")
    pull: str | None = Field(default=None, description="a reference that the engines pull from a registry")
    archive: Path | None = Field(default=None, description="a file made by `docker save`")


class Qemu(Model):
    memory: Size = "1G"
    cpus: int = Field(default=1, ge=1)
    disk: Size = "8G"
    release: str = "trixie"
    boot_timeout: Duration = 900.0


class Inventory(Model):
    lab: Name
    machines: MachineKind = "qemu"
    network: Network = Network()
    hosts: dict[Name, Host] = Field(min_length=1)
    nfs: Nfs = Nfs()
    images: dict[str, Image] = Field(default_factory=dict)
    qemu: Qemu = Qemu()
    ssh: Ssh = Ssh()

    def with_role(self, *roles: Role) -> list[str]:
        """Names of the hosts that have any of `roles`, in the inventory's order."""
        return [name for name, host in self.hosts.items() if set(roles) & set(host.roles)]

    @property
    def docker_hosts(self) -> list[str]:
        return self.with_role("docker")

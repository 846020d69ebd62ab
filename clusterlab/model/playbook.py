"""A playbook: which volumes, networks, containers and services stand on a lab.

Keys are Compose's, with Compose's meaning (https://github.com/compose-spec/compose-spec/blob/main/spec.md), plus `host`
and `hosts` for where.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BeforeValidator, ConfigDict, Field, PrivateAttr

from .base import Duration, Issue, Model, ObjectName, Strings
from .checks import Check, check_model
from .compose_forms import Attachment, Attachments, Environment, ExtraHosts, Labels, empty_mapping
from .container_keys import Command, command_faults, mount_faults, network_faults, port_faults, tmpfs_faults
from .deferred import Deferred
from .deploy import Deploy, Placement
from .drills import Drill
from .external import External
from .ipam import Ipam, IpamConfig
from .iscsi import Disk
from .long_forms import CredentialSpec, FileReference, Logging, LongMount, LongPort, Ulimit
from .short_syntax import parse_port
from .stack_files import StackFiles
from .swarm_files import Config, Secret

__all__ = [
    "Attachment",
    "Command",
    "Config",
    "Container",
    "Deploy",
    "Healthcheck",
    "Ipam",
    "IpamConfig",
    "Network",
    "Placement",
    "Play",
    "Secret",
    "Service",
    "Thing",
    "Volume",
]


class Volume(Model):
    """A volume, made on each of its hosts."""

    hosts: Strings = Field(default=["docker"], description="a host, a list of hosts, or a role")
    driver: str = "local"
    driver_opts: dict[str, str | int] = Field(
        default_factory=dict,
        examples=[{"type": "nfs", "o": "addr=${hosts.gw.address},rw,nfsvers=4.2", "device": ":/shares"}],
    )
    labels: Labels = Field(default_factory=dict)


class Network(Model):
    """A network: on each of its hosts, or one for the whole Swarm (driver overlay)."""

    hosts: Strings = Field(default=["docker"], description="for overlay networks the Swarm decides: leave it out")
    driver: Literal["bridge", "overlay", "macvlan", "ipvlan"] = "bridge"
    driver_opts: dict[str, str | int] = Field(default_factory=dict)
    attachable: bool = Field(
        default=False, description="whether containers, not only services, may join an overlay network"
    )
    internal: bool = False
    enable_ipv6: bool = False
    ipam: Ipam = Ipam()
    labels: Labels = Field(default_factory=dict)

    @property
    def encrypted(self) -> bool:
        """Whether its packets are encrypted between the hosts.

        The engine asks for the key, whatever its value.
        """
        return self.driver == "overlay" and "encrypted" in self.driver_opts

    def issues(self) -> Iterator[Issue]:
        if self.driver == "overlay" and self.given("hosts"):
            yield Issue(
                ("hosts",),
                "an overlay network has no hosts: the Swarm decides where it exists",
                "Leave hosts out.",
                True,
            )
        if self.driver != "overlay" and self.attachable:
            yield Issue(
                ("attachable",),
                "'attachable' is for overlay networks: containers can always join others",
                "Leave it out.",
            )


class Healthcheck(Model):
    test: Command
    interval: Duration = 30.0
    timeout: Duration = 30.0
    retries: int = Field(default=3, ge=1)
    start_period: Duration = 0.0

    def issues(self) -> Iterator[Issue]:
        if isinstance(self.test, list) and (not self.test or self.test[0] not in ("CMD", "CMD-SHELL", "NONE")):
            yield Issue(
                ("test",),
                "a list must begin with CMD, CMD-SHELL or NONE",
                'For example ["CMD", "nc", "-z", "localhost", "80"].',
            )
        if not self.test:
            yield Issue(("test",), "there is no command to run")


class Container(Model):
    """A container on one host, or one on each of several.

    In a validated play each has one `host`: those with `hosts` are replaced by one container for each, see `instances`.
    """

    host: str = Field(default="", description="the Docker host that it runs on")
    hosts: Strings = Field(
        default_factory=list,
        description="instead of host: one on each of these hosts, roles or groups, called NAME-HOST there; "
        "NAME@HOST means one of them, NAME all",
    )
    image: str = Field(description="a name among the inventory's images")
    command: Command | None = None
    entrypoint: Command | None = None
    environment: Environment = Field(default_factory=dict, repr=False)
    volumes: list[str] = Field(default_factory=list, description="NAME:/path[:ro] or /host/path:/path[:ro] or /path")
    volumes_from: list[str] = Field(
        default_factory=list, description="containers of this play on the same host, NAME[:ro]"
    )
    tmpfs: Strings = Field(default_factory=list)
    ports: list[str | int] = Field(default_factory=list, description="[[address:]host-port:]port[/protocol]")
    expose: list[str | int] = Field(default_factory=list)
    networks: Attachments = Field(default_factory=dict)
    network_mode: Literal["bridge", "host", "none"] | None = None
    hostname: str | None = None
    user: str | int | None = None
    working_dir: str | None = None
    read_only: bool = False
    restart: Literal["no", "always", "on-failure", "unless-stopped"] = "no"
    init: bool = False
    cap_add: list[str] = Field(default_factory=list)
    cap_drop: list[str] = Field(default_factory=list)
    extra_hosts: ExtraHosts = Field(default_factory=dict)
    stop_signal: str | None = None
    stop_grace_period: Duration = 1.0
    labels: Labels = Field(default_factory=dict)
    healthcheck: Healthcheck | None = None

    def issues(self) -> Iterator[Issue]:
        if bool(self.host) == bool(self.hosts):
            found = "not both" if self.host else "and has neither"
            remedy = "Write host: for one container, hosts: for one on each of several."
            yield Issue((), f"a container has a host or hosts, {found}", remedy)
        yield from command_faults("command", self.command)
        yield from command_faults("entrypoint", self.entrypoint)
        yield from mount_faults(self.volumes)
        yield from port_faults("ports", self.ports)
        yield from port_faults("expose", self.expose, _exposed)
        yield from network_faults(self.network_mode, self.networks, self.ports)
        yield from tmpfs_faults(self.tmpfs)


class Service(Model):
    """A Swarm service."""

    image: str = Field(description="a name among the inventory's images")
    command: Command | None = None
    entrypoint: Command | None = None
    environment: Environment = Field(default_factory=dict, repr=False)
    env_file: Strings = Field(
        default_factory=list, description="files with NAME=VALUE, relative to the play; environment wins over them"
    )
    volumes: list[str | LongMount] = Field(
        default_factory=list, description="NAME:/path[:ro] or /host/path:/path[:ro] or /path, or the long form"
    )
    ports: list[str | int | LongPort] = Field(
        default_factory=list, description="[host-port:]port[/protocol], or the long form"
    )
    configs: list[str | FileReference] = Field(
        default_factory=list, description="configs of the play, each as the file /NAME, or the long form"
    )
    secrets: list[str | FileReference] = Field(
        default_factory=list, description="secrets of the play, each as the file /run/secrets/NAME, or the long form"
    )
    networks: Attachments = Field(default_factory=dict)
    user: str | int | None = None
    hostname: str | None = None
    working_dir: str | None = None
    read_only: bool = False
    tty: bool = False
    stdin_open: bool = False
    init: bool = False
    dns: Strings = Field(default_factory=list)
    dns_search: Strings = Field(default_factory=list)
    cap_add: list[str] = Field(default_factory=list)
    cap_drop: list[str] = Field(default_factory=list)
    sysctls: Labels = Field(default_factory=dict)
    ulimits: dict[str, int | Ulimit] = Field(default_factory=dict)
    logging: Logging | None = None
    isolation: Literal["default", "process", "hyperv"] | None = Field(default=None, description="on Windows alone")
    credential_spec: CredentialSpec | None = Field(default=None, description="on Windows alone")
    extra_hosts: ExtraHosts = Field(default_factory=dict)
    stop_signal: str | None = None
    stop_grace_period: Duration | None = Field(default=None, description="default: 10s, as the engine has it")
    healthcheck: Healthcheck | None = None
    labels: Labels = Field(default_factory=dict)
    deploy: Deploy = Deploy()

    def issues(self) -> Iterator[Issue]:
        yield from command_faults("command", self.command)
        yield from command_faults("entrypoint", self.entrypoint)
        yield from mount_faults(self.volumes)
        yield from port_faults("ports", self.ports, _published)
        if self.deploy.endpoint_mode == "dnsrr" and any(_is_ingress(port) for port in self.ports):
            yield Issue(
                ("deploy", "endpoint_mode"),
                "dnsrr cannot be combined with ports of mode ingress",
                "Leave one of the two out, or publish the ports with mode: host.",
            )


class Thing(NamedTuple):
    """An object of a play, by the section that it stands in."""

    section: str
    name: str


class Play(Model):
    """What stands on a lab, and what must then be true."""

    model_config = ConfigDict(defer_build=True)

    title: str = Field(min_length=1)
    teaches: str = Field(default="", description="what this play teaches")
    why: str = Field(default="", description="why it works this way")
    docs: list[str] = Field(default_factory=list, description="where to read more")
    by_default: bool = Field(default=True, description="whether commands take it when no play is named")
    disks: dict[ObjectName, Disk] = Field(default_factory=dict, description="LUNs of the iSCSI target, by their host")
    volumes: dict[
        ObjectName, Annotated[Volume, BeforeValidator(empty_mapping, json_schema_input_type=Volume | None)]
    ] = Field(default_factory=dict)
    networks: dict[
        ObjectName, Annotated[Network, BeforeValidator(empty_mapping, json_schema_input_type=Network | None)]
    ] = Field(default_factory=dict)
    configs: dict[ObjectName, Config] = Field(default_factory=dict)
    secrets: dict[ObjectName, Secret] = Field(default_factory=dict)
    containers: dict[ObjectName, Container] = Field(default_factory=dict)
    services: dict[ObjectName, Service] = Field(default_factory=dict)
    stack: StackFiles | None = Field(default=None, description="a stack, deployed as `docker stack deploy` does")
    external: External = Field(
        default=External(), description="what others created: checks may name it, and clusterlab never changes it"
    )
    checks: list[Annotated[Check, Deferred(check_model)]] = Field(default_factory=list)
    drills: list[Drill] = Field(
        default_factory=list, description="what is broken on purpose, and what clients may see of it"
    )
    _left_out: Mapping[Thing, str] = PrivateAttr(default_factory=dict)
    _instances: Mapping[str, Mapping[str, str]] = PrivateAttr(default_factory=dict)

    @property
    def left_out(self) -> Mapping[Thing, str]:
        """What the file has and an inventory cannot have, with the reason: see `lacking`."""
        return self._left_out

    @property
    def instances(self) -> Mapping[str, Mapping[str, str]]:
        """Of each container with `hosts`, what it is called on each of them."""
        return self._instances

    def with_instances(self, instances: Mapping[str, Mapping[str, str]]) -> Self:
        """This play, in which containers stand for those with `hosts`."""
        copy = self.model_copy()
        copy._instances = instances
        return copy

    def leaving_out(self, things: Mapping[Thing, str]) -> Self:
        """This play, which stands for one that has these things too."""
        copy = self.model_copy()
        copy._left_out = things
        return copy

    def host_of(self, container: str) -> str | None:
        """The host of a container that checks may name: of the play, or external."""
        known = self.containers.get(container) or self.external.containers.get(container)
        return known.host if known else None

    def in_swarm(self, network: str) -> bool:
        """Whether a network of the play, or an external one, spans the nodes of the Swarm."""
        if own := self.networks.get(network):
            return own.driver == "overlay"
        external = self.external.networks.get(network)
        return external is not None and not external.hosts

    @property
    def known_containers(self) -> list[str]:
        """The containers that checks may name."""
        return [*self.containers, *self.external.containers]

    @property
    def known_services(self) -> list[str]:
        """The services that checks may name."""
        return [*self.services, *self.external.services]

    def issues(self) -> Iterator[Issue]:
        for section, name in self.external.names():
            if name in getattr(self, section):
                message = f"'{name}' is defined under {section} of this play, so clusterlab creates it"
                yield Issue(("external", section), message, "Leave one of the two out.", True)
        if self.given("checks") and not self.checks:
            yield Issue(
                ("checks",), "an empty list of checks proves nothing", "Write a check, or leave the key out.", True
            )
        titles = [check.title for check in self.checks]
        for index, title in enumerate(titles):
            if title in titles[:index]:
                remedy = "Titles identify results: give each check its own."
                yield Issue(("checks", index, "title"), f"two checks have the title '{title}'", remedy)
        for index, drill in enumerate(self.drills):
            if drill.title in (*titles, *(one.title for one in self.drills[:index])):
                remedy = "Titles identify results: give each drill its own."
                yield Issue(("drills", index, "title"), f"another has the title '{drill.title}'", remedy)
        stands = (self.disks, self.volumes, self.networks, self.configs, self.secrets, self.containers, self.services)
        if not any(stands) and not self.stack and not self.checks and not self.drills:
            remedy = "Add volumes, networks, containers, services, a stack, checks or drills."
            yield Issue((), "this play has only a title", remedy)


def _exposed(item: str | int | LongPort) -> None:
    if parse_port(item).host_port is not None:
        raise ValueError(
            f"'{item}': 'expose' publishes nothing on the host: write the container's port alone, or use ports"
        )


def _is_ingress(item: str | int | LongPort) -> bool:
    return isinstance(item, str | int) or item.mode == "ingress"


def _published(item: str | int | LongPort) -> None:
    if parse_port(item).address is not None:
        raise ValueError(f"'{item}': a service publishes on every address of every node: leave the address out")

"""A playbook: which volumes, networks, containers and services stand on a lab.

Keys are Compose's, with Compose's meaning (https://github.com/compose-spec/compose-spec/blob/main/spec.md), plus `host`
and `hosts` for where.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from .base import Duration, Model, ObjectName, Strings
from .checks import Check


def _as_mapping(value: object) -> object:
    """Compose's list form ("KEY=VALUE") of a mapping."""
    if isinstance(value, list):
        pairs = (str(item).partition("=") for item in value)
        return {key: text for key, _, text in pairs}
    return value


def _names_as_mapping(value: object) -> object:
    """Compose's list form of a container's networks."""
    return dict.fromkeys(map(str, value)) if isinstance(value, list) else value


Mapping = Annotated[dict[str, str | int | float], BeforeValidator(_as_mapping)]
Command = str | list[str]
"""A string is split as a shell would split it (shlex), a list is taken as it is."""


class Volume(Model):
    hosts: Strings = Field(default=["docker"], description="a host, a list of hosts, or a role")
    driver: str = "local"
    driver_opts: dict[str, str | int] = Field(default_factory=dict)
    labels: Mapping = Field(default_factory=dict)


class IpamConfig(Model):
    subnet: str | None = None
    ip_range: str | None = None
    gateway: str | None = None
    aux_addresses: dict[str, str] = Field(default_factory=dict)


class Ipam(Model):
    driver: str = "default"
    config: list[IpamConfig] = Field(default_factory=list)
    options: dict[str, str] = Field(default_factory=dict)


class Network(Model):
    hosts: Strings = Field(default=["docker"], description="for overlay networks the Swarm decides: leave it out")
    driver: str = "bridge"
    driver_opts: dict[str, str | int] = Field(default_factory=dict)
    attachable: bool = False
    internal: bool = False
    enable_ipv6: bool = False
    ipam: Ipam = Ipam()
    labels: Mapping = Field(default_factory=dict)


class Attachment(Model):
    """How a container is on one network."""

    aliases: list[str] = Field(default_factory=list)
    ipv4_address: str | None = None


class Healthcheck(Model):
    test: Command
    interval: Duration = 30.0
    timeout: Duration = 30.0
    retries: int = 3
    start_period: Duration = 0.0


class Container(Model):
    host: str
    image: str
    command: Command | None = None
    entrypoint: Command | None = None
    environment: Mapping = Field(default_factory=dict)
    volumes: list[str] = Field(default_factory=list, description="NAME:/path[:ro] or /host/path:/path[:ro] or /path")
    volumes_from: list[str] = Field(default_factory=list)
    tmpfs: Strings = Field(default_factory=list)
    ports: list[str | int] = Field(default_factory=list, description="[[address:]host-port:]port[/protocol]")
    expose: list[str | int] = Field(default_factory=list)
    networks: Annotated[dict[str, Attachment | None], BeforeValidator(_names_as_mapping)] = Field(default_factory=dict)
    network_mode: Literal["bridge", "host", "none"] | None = None
    hostname: str | None = None
    user: str | int | None = None
    working_dir: str | None = None
    read_only: bool = False
    restart: Literal["no", "always", "on-failure", "unless-stopped"] = "no"
    init: bool = False
    cap_add: list[str] = Field(default_factory=list)
    cap_drop: list[str] = Field(default_factory=list)
    extra_hosts: Mapping = Field(default_factory=dict)
    stop_signal: str | None = None
    stop_grace_period: Duration = 1.0
    labels: Mapping = Field(default_factory=dict)
    healthcheck: Healthcheck | None = None


class Placement(Model):
    constraints: list[str] = Field(default_factory=list)


class Deploy(Model):
    mode: Literal["replicated", "global"] = "replicated"
    replicas: int = Field(default=1, ge=0)
    placement: Placement = Placement()


class Service(Model):
    """A Swarm service."""

    image: str
    command: Command | None = None
    entrypoint: Command | None = None
    environment: Mapping = Field(default_factory=dict)
    volumes: list[str] = Field(default_factory=list)
    ports: list[str | int] = Field(default_factory=list)
    networks: Annotated[dict[str, Attachment | None], BeforeValidator(_names_as_mapping)] = Field(default_factory=dict)
    user: str | int | None = None
    hostname: str | None = None
    read_only: bool = False
    labels: Mapping = Field(default_factory=dict)
    deploy: Deploy = Deploy()


class Play(Model):
    title: str
    teaches: str = ""
    why: str = ""
    docs: list[str] = Field(default_factory=list)
    volumes: dict[ObjectName, Volume] = Field(default_factory=dict)
    networks: dict[ObjectName, Network] = Field(default_factory=dict)
    containers: dict[ObjectName, Container] = Field(default_factory=dict)
    services: dict[ObjectName, Service] = Field(default_factory=dict)
    checks: list[Check] = Field(default_factory=list)

"""What a stack is: services, networks, volumes, configs and secrets.

Each value has the place where it was written.

The names of the fields are those of the keys in the files (Compose file format 3.13). What is not given is None or
empty; what a short form left out has been filled in as Docker's client does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .given import Content, Given, Place

Texts = tuple[Given[str], ...]
Labels = Mapping[str, Given[str]]


@dataclass(frozen=True)
class Port:
    """A published port. `published` 0 leaves the choice to the engine.

    The ip of the short form has no effect.
    """

    place: Place
    target: int
    published: int = 0
    protocol: str = ""
    mode: str = ""
    ip: str = ""


@dataclass(frozen=True)
class Mount:
    """An item of a service's `volumes`; options that are not given are None."""

    place: Place
    type: str
    source: str
    target: str
    read_only: bool = False
    consistency: str = ""
    nocopy: bool | None = None
    subpath: str | None = None
    propagation: str | None = None
    size: int | None = None  # bytes
    options: frozenset[str] = frozenset()  # the kinds of options that are given: bind, volume, tmpfs
    ignored: tuple[str, ...] = ()  # options and keys without an effect
    varies: bool = False  # whether a variable went into source or target
    original: str = ""  # the source before `~` and relative paths were resolved
    places: Mapping[str, Place] = field(default_factory=dict)  # of the keys of the long form


@dataclass(frozen=True)
class FileReference:
    """A service's use of a config or secret."""

    place: Place
    source: str
    target: str = ""
    uid: str = ""
    gid: str = ""
    mode: Given[int] | None = None
    mode_written: str = ""  # the mode as it stands in the file
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attachment:
    """A service's place on a network."""

    place: Place
    aliases: Texts = ()
    driver_opts: Labels = field(default_factory=dict)
    ignored: Mapping[str, Place] = field(default_factory=dict)
    given: bool = True  # False for the bare name of a network


@dataclass(frozen=True)
class Healthcheck:
    place: Place
    test: Texts | None = None
    interval: Given[int] | None = None
    timeout: Given[int] | None = None
    start_period: Given[int] | None = None
    start_interval: Given[int] | None = None
    retries: Given[int] | None = None
    disable: Given[bool] | None = None


@dataclass(frozen=True)
class Ulimit:
    place: Place
    soft: int
    hard: int


@dataclass(frozen=True)
class Logging:
    place: Place
    driver: Given[str] | None = None
    options: Labels | None = None


@dataclass(frozen=True)
class CredentialSpec:
    place: Place
    config: Given[str] | None = None
    file: Given[str] | None = None
    registry: Given[str] | None = None


@dataclass(frozen=True)
class Update:
    """update_config and rollback_config; durations in nanoseconds."""

    place: Place
    parallelism: Given[int] | None = None
    delay: Given[int] | None = None
    failure_action: Given[str] | None = None
    monitor: Given[int] | None = None
    max_failure_ratio: Given[float] | None = None
    order: Given[str] | None = None


@dataclass(frozen=True)
class RestartPolicy:
    place: Place
    condition: Given[str] | None = None
    delay: Given[int] | None = None
    max_attempts: Given[int] | None = None
    window: Given[int] | None = None


@dataclass(frozen=True)
class GenericResource:
    place: Place
    kind: str
    value: int


@dataclass(frozen=True)
class Resources:
    """Limits or reservations."""

    place: Place
    cpus: Given[int] | None = None  # billionths
    memory: Given[int] | None = None  # bytes
    pids: Given[int] | None = None
    generic_resources: tuple[GenericResource, ...] = ()


@dataclass(frozen=True)
class Deploy:
    place: Place | None = None
    mode: Given[str] | None = None
    replicas: Given[int] | None = None
    labels: Labels = field(default_factory=dict)
    endpoint_mode: Given[str] | None = None
    update_config: Update | None = None
    rollback_config: Update | None = None
    restart_policy: RestartPolicy | None = None
    limits: Resources | None = None
    reservations: Resources | None = None
    constraints: Texts = ()
    preferences: Texts = ()
    max_replicas_per_node: Given[int] | None = None


@dataclass(frozen=True)
class Service:
    name: str
    place: Place
    given: frozenset[str] = frozenset()  # the keys that the files have, right or wrong
    ignored: Mapping[str, Place] = field(default_factory=dict)  # keys that are accepted and have no effect
    image: Given[str] | None = None
    command: Texts | None = None
    entrypoint: Texts | None = None
    environment: Mapping[str, Given[str | None]] = field(default_factory=dict)
    labels: Labels = field(default_factory=dict)
    hostname: Given[str] | None = None
    user: Given[str] | None = None
    working_dir: Given[str] | None = None
    read_only: Given[bool] | None = None
    tty: Given[bool] | None = None
    stdin_open: Given[bool] | None = None
    init: Given[bool] | None = None
    stop_grace_period: Given[int] | None = None
    stop_signal: Given[str] | None = None
    healthcheck: Healthcheck | None = None
    extra_hosts: Texts = ()  # "name:ip"
    dns: Texts = ()
    dns_search: Texts = ()
    cap_add: Texts = ()
    cap_drop: Texts = ()
    sysctls: Labels = field(default_factory=dict)
    ulimits: Mapping[str, Ulimit] = field(default_factory=dict)
    isolation: Given[str] | None = None
    credential_spec: CredentialSpec | None = None
    logging: Logging | None = None
    networks: Mapping[str, Attachment] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    volumes: tuple[Mount, ...] = ()
    configs: tuple[FileReference, ...] = ()
    secrets: tuple[FileReference, ...] = ()
    restart: Given[str] | None = None
    deploy: Deploy = field(default_factory=Deploy)

    @property
    def mode(self) -> str:
        """replicated, global, replicated-job or global-job."""
        return self.deploy.mode.value or "replicated" if self.deploy.mode else "replicated"

    @property
    def is_job(self) -> bool:
        return self.mode.endswith("-job")

    @property
    def tasks(self) -> int | None:
        """How many tasks it has; None for one on each node."""
        if self.mode.startswith("global"):
            return None
        return self.deploy.replicas.value if self.deploy.replicas else 1


@dataclass(frozen=True)
class Network:
    key: str
    place: Place
    name: Given[str] | None = None
    external: bool = False
    driver: Given[str] | None = None
    driver_opts: Labels = field(default_factory=dict)
    ipam_driver: Given[str] | None = None
    subnets: Texts = ()
    internal: bool = False
    attachable: bool = False
    labels: Labels = field(default_factory=dict)
    old_name: bool = False  # written as external: {name: ...}


@dataclass(frozen=True)
class Volume:
    key: str
    place: Place
    name: Given[str] | None = None
    external: bool = False
    driver: Given[str] | None = None
    driver_opts: Labels | None = None
    labels: Labels = field(default_factory=dict)
    old_name: bool = False


@dataclass(frozen=True)
class FileObject:
    """A config or secret; `content` is what its file held when it was read."""

    key: str
    place: Place
    name: Given[str] | None = None
    external: bool = False
    file: Given[str] | None = None
    content: Content | None = None
    labels: Labels = field(default_factory=dict)
    template_driver: Given[str] | None = None
    driver: Given[str] | None = None
    driver_opts: Labels = field(default_factory=dict)
    old_name: bool = False
    broken: bool = False  # something is wrong with where its content comes from


@dataclass(frozen=True)
class Stack:
    """One stack, merged of all its files."""

    name: str
    folder: Path  # what relative paths start at
    files: tuple[str, ...]
    services: Mapping[str, Service]
    networks: Mapping[str, Network] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    configs: Mapping[str, FileObject] = field(default_factory=dict)
    secrets: Mapping[str, FileObject] = field(default_factory=dict)

    def scoped(self, thing: Network | Volume | FileObject | str) -> str:
        """The name of a thing on the engine.

        Its `name`, or its key behind the stack's name.
        """
        if isinstance(thing, str):
            return f"{self.name}_{thing}"
        if thing.name is not None and thing.name.value:
            return thing.name.value
        return thing.key if thing.external else f"{self.name}_{thing.key}"

    def networks_of(self, service: Service) -> Mapping[str, Attachment]:
        """The networks that a service is on; the default network where it names none."""
        return service.networks or {DEFAULT_NETWORK: Attachment(service.place)}

    def network(self, key: str) -> Network:
        """A network by its key; the default network needs no entry."""
        return self.networks.get(key) or Network(key, next(iter(self.services.values())).place)

    def scoped_network(self, key: str) -> str:
        """The name of a network on the engine, by its key."""
        return self.scoped(self.networks[key]) if key in self.networks else self.scoped(key)

    def used_networks(self) -> list[str]:
        """The keys of the networks that services are on."""
        return sorted({key for service in self.services.values() for key in self.networks_of(service)})


DEFAULT_NETWORK = "default"

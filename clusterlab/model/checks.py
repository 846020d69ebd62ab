"""Checks: what a playbook says must be true, one key naming the kind.

A negative statement (`open: false`, `reachable: false`, `resolves: false`) proves something only if the same probe works
where it should. So it carries a `control`: the same probe with the given fields changed, which must succeed, or it stands in
`steps` next to its positive twin.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from .base import Duration, Model, Strings


def _as_matcher(value: object) -> object:
    """A plain value means "equals"."""
    return value if isinstance(value, dict) else {"equals": value}


class MatcherSpec(Model):
    """What a text or value must be like; every key given must hold."""

    equals: Any = None
    contains: Strings = Field(default_factory=list)
    lacks: Strings = Field(default_factory=list, description="must not contain")
    matches: str | None = Field(default=None, description="a regular expression (re.search, multi-line)")
    lines: int | None = Field(default=None, description="how many lines, or how many items")
    empty: bool | None = None


Matcher = Annotated[MatcherSpec, BeforeValidator(_as_matcher)]


class ContainerAddress(Model):
    """The address that a container has on a network, looked up when the probe runs."""

    container: str
    network: str


Target = str | ContainerAddress
"""A name or address as it stands; a host of the inventory may be named; or a container's address on a network."""


class Probe(Model):
    """Where a probe runs: on hosts (names or a role), or in containers."""

    on: Strings = Field(default_factory=list)
    in_: Strings = Field(default_factory=list, alias="in")


class Control(Model):
    """The fields of the probe to change so that it must succeed."""

    on: Strings = Field(default_factory=list)
    in_: Strings = Field(default_factory=list, alias="in")
    to: Target | None = None
    port: int | None = None
    url: str | None = None
    name: str | None = None


class CommandProbe(Probe):
    """Run a command; a string goes to `sh -c`, a list is executed as it is."""

    run: str | list[str]
    exit: int | list[int] = 0
    stdout: Matcher | None = None
    stderr: Matcher | None = None
    user: str | None = None
    timeout: Duration = 30.0


class HttpProbe(Probe):
    url: str
    reachable: bool = True
    status: int = 200
    body: Matcher | None = None
    timeout: Duration = 10.0
    control: Control | None = None


class PingProbe(Probe):
    to: Target
    count: int = Field(default=2, ge=1)
    size: int | None = Field(default=None, description="bytes of payload, sent unfragmented")
    reachable: bool = True
    timeout: Duration = 10.0
    control: Control | None = None


class DnsProbe(Probe):
    name: str
    resolves: bool = True
    addresses: Matcher | None = Field(default=None, description="about the list of addresses, sorted")
    is_: ContainerAddress | None = Field(default=None, alias="is", description="must be exactly this container's address")
    control: Control | None = None


class PortProbe(Probe):
    to: Target
    port: int = Field(ge=1, le=65535)
    open: bool = True
    timeout: Duration = 5.0
    control: Control | None = None


class MountProbe(Probe):
    path: str
    type: str | None = None
    source: Matcher | None = None
    options: Strings = Field(default_factory=list, description="each must be among the options that the kernel reports")
    lacks: Strings = Field(default_factory=list, description="none of these may be")


class FileProbe(Probe):
    path: str
    exists: bool = True
    content: Matcher | None = None
    owner: str | int | None = None
    group: str | int | None = None
    mode: str | None = Field(default=None, description="octal, as in 0644")
    type: Literal["file", "directory", "symlink"] | None = None


class SharedFileProbe(Probe):
    """Each place writes and every other reads; then each appends under a lock, and every place reads all of it."""

    path: str
    appends: int = Field(default=5, ge=1, description="lines that each place appends")


class InspectProbe(Model):
    """A path in what the engine reports of one object; `*` in the path takes every item."""

    volume: str | None = None
    network: str | None = None
    container: str | None = None
    service: str | None = None
    image: str | None = None
    node: str | None = None
    engine: bool | None = Field(default=None, description="what `docker info` reports")
    on: Strings = Field(default_factory=list, description="which hosts are asked; default: every host that should have it")
    path: str | list[str | int] = Field(description="keys joined by dots, or a list where a key has a dot itself")
    value: Matcher | None = None
    same: bool = Field(default=False, description="all hosts must report the same")


class Action(Model):
    """Something done between probes; what it changed is put back when the check ends, however it ends."""

    stop: str | None = Field(default=None, description="a container")
    start: str | None = Field(default=None, description="a container")


class Step(Model):
    """One probe of several in order, or an action between them: exactly one key besides `within`."""

    command: CommandProbe | None = None
    http: HttpProbe | None = None
    ping: PingProbe | None = None
    dns: DnsProbe | None = None
    port: PortProbe | None = None
    mount: MountProbe | None = None
    file: FileProbe | None = None
    shared_file: SharedFileProbe | None = None
    inspect: InspectProbe | None = None
    do: Action | None = None
    within: Duration | None = None


class Check(Model):
    """One statement: exactly one kind, or `steps`."""

    title: str
    command: CommandProbe | None = None
    http: HttpProbe | None = None
    ping: PingProbe | None = None
    dns: DnsProbe | None = None
    port: PortProbe | None = None
    mount: MountProbe | None = None
    file: FileProbe | None = None
    shared_file: SharedFileProbe | None = None
    inspect: InspectProbe | None = None
    steps: list[Step] = Field(default_factory=list)
    within: Duration | None = Field(default=None, description="asked again until it holds or this time is up")
    for_: Duration | None = Field(default=None, alias="for", description="must hold all this time")
    needs: list[str] = Field(default_factory=list, description="capabilities of the machines, as nfs or ipvs")
    hint: str = ""


KINDS = ("command", "http", "ping", "dns", "port", "mount", "file", "shared_file", "inspect")

"""Probes: one question to the lab each, and the answer that is wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, WithJsonSchema

from .base import Duration, Fault, Model, Strings
from .matcher import Matcher
from .problems import either, listed

_CANNOT_FAIL = re.compile(r"(^|(;|\|\||&&|\n)\s*)(true|:|exit 0|echo( [^;&|>]*)?)\s*;?\s*$")
_ONLY_ONE = "Leave the other out, or write two checks."


class Address(Model):
    """The address that a container has on a network, or the virtual one of a service, looked up when the probe runs."""

    container: str | None = None
    service: str | None = None
    network: str

    def __str__(self) -> str:
        return f"{self.container or f'service {self.service}'} on network {self.network}"

    def faults(self) -> Iterator[Fault]:
        if len(self.given("container", "service")) != 1:
            yield Fault((), "an address is that of exactly one container or service", "Write one of the two keys.")


Target = str | Address
"""A name or address as it stands; a host of the inventory may be named; or an address that is looked up."""

_Port = Annotated[int, Field(ge=1, le=65535)]


class PublishedPort(Model):
    """The port of the host by which a container's port is published, looked up when the probe runs."""

    container: str
    published: _Port = Field(description="the container's port")

    def __str__(self) -> str:
        return f"published for port {self.published} of {self.container}"


_MODE = r"^[0-7]{3,4}$"
_Mode = Annotated[
    str,
    StringConstraints(pattern=_MODE),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": _MODE}, {"type": "integer"}]}
    ),  # editors read 0644 as a number
]


class Probe(Model):
    """Where a probe runs: on hosts (names or a role), or in containers."""

    on: Strings = Field(default_factory=list, description="hosts: names, roles, or all")
    in_: Strings = Field(default_factory=list, alias="in", description="containers of this play")

    def faults(self) -> Iterator[Fault]:
        if not self.on and not self.in_:
            yield Fault((), "a probe must say where it runs", "Add on: (hosts or a role) or in: (containers).")


class Control(Model):
    """The fields of the probe to change so that it must succeed."""

    on: Strings = Field(default_factory=list)
    in_: Strings = Field(default_factory=list, alias="in")
    to: Target | None = None
    port: _Port | None = None
    url: str | None = None
    name: str | None = None


class NegatableProbe(Probe):
    """A probe that can also state that something does not work.

    Such a statement is worth something only when the same probe works where it should: `control`. Hosts ask both over
    the LAN alone, whatever other ways out they have.
    """

    verdict: ClassVar[str]  # the key that is false for a negative statement
    target: ClassVar[tuple[str, ...]]  # the keys that say what is asked for
    only_positive: ClassVar[tuple[str, ...]] = ()  # the fields that say something of a success only

    control: Control | None = Field(default=None, description="the same probe, changed so that it must succeed")

    @property
    def negative(self) -> bool:
        return not getattr(self, self.verdict)

    def same_target(self, other: NegatableProbe) -> bool:
        return all(getattr(self, key) == getattr(other, key) for key in self.target)

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        if self.negative:
            for key in self.given(*self.only_positive):
                yield Fault((key,), f"'{key}' says nothing when '{self.verdict}' is false", "Leave one of them out.")
        if self.control is not None:
            yield from self._control_faults(self.control)

    def _control_faults(self, control: Control) -> Iterator[Fault]:
        if not self.negative:
            message = f"a control belongs to a negative statement ({self.verdict}: false)"
            yield Fault(("control",), message, "Leave it out: this probe must succeed itself.")
        allowed = ("on", "in_", *self.target)
        changed = [name for name in control.model_fields_set if getattr(control, name) != getattr(self, name, None)]
        if not changed:
            keys = either([name.rstrip("_") for name in allowed])
            yield Fault(("control",), "the control changes nothing, so it cannot succeed", f"Change {keys} in it.")
        for name in control.model_fields_set - set(allowed):
            keys = listed([name.rstrip("_") for name in allowed])
            yield Fault(("control", name), f"this probe has no '{name}' that a control could change", f"It has {keys}.")


class CommandProbe(Probe):
    """Run a command; a string goes to `sh -c`, a list is executed as it is."""

    run: str | list[str] = Field(examples=["showmount -e ${hosts.gw.address}"])
    exit: int | list[int] = Field(default=0, description="the exit codes that are right")
    stdout: Matcher | None = None
    stderr: Matcher | None = None
    user: str | None = Field(default=None, description="the user in the container or on the host")
    timeout: Duration = 30.0

    @property
    def exits(self) -> list[int]:
        return [self.exit] if isinstance(self.exit, int) else self.exit

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        if not self.run or (isinstance(self.run, str) and not self.run.strip()):
            yield Fault(("run",), "there is no command to run")
            return
        if not self.exits:
            yield Fault(("exit",), "no exit code is right, so this could never hold", "Give at least one exit code.")
        for code in self.exits:
            if not 0 <= code <= 255:
                yield Fault(("exit",), f"{code} is not an exit code: they go from 0 to 255")
        if not self.stdout and not self.stderr and self._cannot_fail():
            remedy = "Say with stdout: what must be printed, or take the part away that hides the failure."
            yield Fault(("run",), "this command cannot fail, so the check asserts nothing", remedy)

    def _cannot_fail(self) -> bool:
        text = self.run if isinstance(self.run, str) else " ".join(self.run)
        every_code = set(range(256)) <= set(self.exits)
        return every_code or (0 in self.exits and bool(_CANNOT_FAIL.search(text)))


class HttpProbe(NegatableProbe):
    """Get a page."""

    verdict: ClassVar[str] = "reachable"
    target: ClassVar[tuple[str, ...]] = ("url",)
    only_positive: ClassVar[tuple[str, ...]] = ("status", "body")

    url: str = Field(examples=["http://${hosts.host1.address}/"])
    reachable: bool = True
    status: int = Field(default=200, ge=100, le=599)
    body: Matcher | None = None
    timeout: Duration = 10.0

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        if not re.match(r"https?://[^\s/]+", self.url):
            yield Fault(("url",), f"'{self.url}' is not an address of a page", "Begin it with http:// or https://.")


class PingProbe(NegatableProbe):
    """Ping a name or address."""

    verdict: ClassVar[str] = "reachable"
    target: ClassVar[tuple[str, ...]] = ("to",)
    only_positive: ClassVar[tuple[str, ...]] = ()

    to: Target
    count: int = Field(default=2, ge=1, description="how many packets")
    size: int | None = Field(default=None, ge=0, le=65507, description="bytes of payload, sent unfragmented")
    reachable: bool = True
    timeout: Duration = 10.0


class DnsProbe(NegatableProbe):
    """Look a name up."""

    verdict: ClassVar[str] = "resolves"
    target: ClassVar[tuple[str, ...]] = ("name",)
    only_positive: ClassVar[tuple[str, ...]] = ("addresses", "is_")

    name: str
    resolves: bool = True
    addresses: Matcher | None = Field(default=None, description="about the list of addresses, sorted")
    is_: Address | None = Field(
        default=None, alias="is", description="must be exactly this address of a container or service"
    )


class PortProbe(NegatableProbe):
    """Connect to a TCP port."""

    verdict: ClassVar[str] = "open"
    target: ClassVar[tuple[str, ...]] = ("to", "port")

    to: Target
    port: _Port | PublishedPort
    open: bool = True
    timeout: Duration = 5.0


class MountProbe(Probe):
    """What is mounted on a path, as the kernel reports it."""

    path: str
    type: str | None = Field(default=None, examples=["nfs4"])
    source: Matcher | None = None
    options: Strings = Field(default_factory=list, description="each must be among the options that the kernel reports")
    lacks: Strings = Field(default_factory=list, description="none of these may be")

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        yield from _absolute(self.path)


class VethProbe(Model):
    """The veth pair by which a container is on a bridge network.

    One end is the container's interface there, the other one a port of the network's bridge on the host.
    """

    in_: Strings = Field(alias="in", description="containers of this play")
    network: str = Field(description="a bridge network; bridge is the default one")

    def faults(self) -> Iterator[Fault]:
        if not self.in_:
            yield Fault(("in",), "an empty list of containers: nothing would be asked", "Name a container.")


class FileProbe(Probe):
    """A file: whether it is there, its content, owner and mode."""

    path: str
    exists: bool = True
    content: Matcher | None = None
    owner: str | int | None = None
    group: str | int | None = None
    mode: _Mode | None = Field(default=None, description="octal, as in 0644")
    type: Literal["file", "directory", "symlink"] | None = None

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        yield from _absolute(self.path)
        if not self.exists:
            for key in self.given("content", "owner", "group", "mode", "type"):
                yield Fault((key,), f"'{key}' says nothing when 'exists' is false", "Leave one of them out.")


class SharedFileProbe(Probe):
    """Each place writes and every other reads; then each appends under a lock, and every place reads all of it."""

    path: str = Field(description="a file that is the same in every place", examples=["/data/sharedfile"])
    appends: int = Field(default=5, ge=1, description="lines that each place appends")

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        yield from _absolute(self.path)


class InspectProbe(Model):
    """A path in what the engine reports of one object; `*` in the path takes every item."""

    volume: str | None = None
    network: str | None = None
    container: str | None = None
    service: str | None = None
    tasks: str | None = Field(
        default=None,
        description="the tasks of this service that run, by host and number; Node is the host that each runs on",
    )
    image: str | None = None
    node: str | None = None
    engine: Literal[True] | None = Field(default=None, description="what `docker info` reports")
    volumes: Literal[True] | None = Field(default=None, description="every volume of the host, by its name")
    on: Strings = Field(
        default_factory=list, description="which hosts are asked; default: every host that should have it"
    )
    path: str | list[str | int] = Field(
        description="keys joined by dots, or a list where a key has a dot itself", examples=["Options.device"]
    )
    value: Matcher | None = None
    same: bool = Field(default=False, description="all hosts must report the same")

    objects: ClassVar[tuple[str, ...]] = (
        "volume",
        "network",
        "container",
        "service",
        "tasks",
        "image",
        "node",
        "engine",
        "volumes",
    )

    def faults(self) -> Iterator[Fault]:
        given = self.given(*self.objects)
        if len(given) != 1:
            found = f"not {listed(given)}" if given else "but none is here"
            yield Fault((), f"inspect needs exactly one of {listed(self.objects)}, {found}", _ONLY_ONE if given else "")
        if self.value is None and not self.same:
            remedy = "Add value: (what it must be) or same: true (all hosts must report the same)."
            yield Fault((), "this inspects but asserts nothing", remedy)
        if not self.path:
            yield Fault(("path",), "the path is empty")


def _absolute(path: str) -> Iterator[Fault]:
    if not path.startswith("/"):
        yield Fault(("path",), f"'{path}' is not an absolute path", "Begin it with /.")

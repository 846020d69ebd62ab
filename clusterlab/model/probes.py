"""What probes have in common.

Where they run, what they are about, and statements that something does not work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import Field

from .base import HostsAndRoles, Issue, Model, Strings
from .problems import either, listed


class Address(Model):
    """The address of a container on a network, or the virtual one of a service.

    Looked up when the probe runs.
    """

    container: str | None = None
    service: str | None = None
    network: str

    def __str__(self) -> str:
        return f"{self.container or f'service {self.service}'} on network {self.network}"

    def issues(self) -> Iterator[Issue]:
        if len(self.given("container", "service")) != 1:
            yield Issue((), "an address needs exactly one of container and service", "Write one of the two keys.")


Target = str | Address
"""A name or address as it stands; a host of the inventory may be named; or an address that is looked up."""

Targets = Target | list[Target]
"""One target, or several: each place is paired with each of them, but not with itself."""

T = TypeVar("T", str, Target)


def only(value: T | list[T]) -> T:
    """The target of a probe that has one: `ReachProbe.each` makes them."""
    assert not isinstance(value, list)
    return value


Port = Annotated[int, Field(ge=1, le=65535)]


class PublishedPort(Model):
    """The port of the host by which a container's port is published.

    Looked up when the probe runs.
    """

    container: str
    published: Port = Field(description="the container's port")

    def __str__(self) -> str:
        return f"published for port {self.published} of {self.container}"


class Probe(Model):
    """Where a probe runs: on hosts (names or a role), or in containers."""

    on: HostsAndRoles = Field(default_factory=list, description="hosts: names, roles, or all")
    in_: Strings = Field(default_factory=list, alias="in", description="containers of this play")

    def issues(self) -> Iterator[Issue]:
        if not self.on and not self.in_:
            yield Issue((), "a probe must say where it runs", "Add on: (hosts or a role) or in: (containers).")


class Control(Model):
    """The fields of the probe to change so that it must succeed."""

    on: HostsAndRoles = Field(default_factory=list)
    in_: Strings = Field(default_factory=list, alias="in")
    to: Target | None = None
    port: Port | None = None
    url: str | None = None
    name: str | None = None


def _name(target: Target) -> str:
    if isinstance(target, Address):
        return target.container or ""
    return (urlsplit(target).hostname or target) if "://" in target else target


class ReachProbe(Probe):
    """A probe that reaches something: from each of its places each of its targets."""

    target: ClassVar[tuple[str, ...]]  # the keys that say what is asked for

    def each(self) -> list[Self]:
        """One probe for each target, in their order; itself when it has one."""
        several = self._several
        return [self.model_copy(update={several: one}) for one in getattr(self, several)] if several else [self]

    @property
    def names(self) -> list[str]:
        """What several targets are called, as places are; none when there is one target."""
        return [_name(one) for one in getattr(self, self._several)] if self._several else []

    @property
    def _several(self) -> str:
        """The key that has a list of targets, or ""."""
        return next((key for key in self.target if isinstance(getattr(self, key), list)), "")

    def issues(self) -> Iterator[Issue]:
        yield from super().issues()
        for key in self.target:
            values: object = getattr(self, key)
            if isinstance(values, Sequence) and not isinstance(values, str):
                if not values:
                    yield Issue((key,), f"an empty list for '{key}' selects nothing")
                yield from (
                    Issue((key, index), f"'{one}' appears twice")
                    for index, one in enumerate(values)
                    if one in values[:index]
                )


class NegatableProbe(ReachProbe):
    """A probe that can also state that something does not work.

    Such a statement is worth something only when the same probe works where it should: `control`. Hosts ask both over
    the LAN alone, whatever other ways out they have.
    """

    verdict: ClassVar[str]  # the key that is false for a negative statement
    only_positive: ClassVar[tuple[str, ...]] = ()  # the fields that say something of a success only

    control: Control | None = Field(default=None, description="the same probe, changed so that it must succeed")

    @property
    def negative(self) -> bool:
        return not getattr(self, self.verdict)

    def covers(self, other: NegatableProbe) -> bool:
        """Whether this runs wherever `other` does.

        What works at another place proves nothing about that one.
        """
        everywhere = "all" in self.on
        return (everywhere or set(other.on) <= set(self.on)) and set(other.in_) <= set(self.in_)

    def same_target(self, other: NegatableProbe) -> bool:
        return all(getattr(self, key) == getattr(other, key) for key in self.target)

    def issues(self) -> Iterator[Issue]:
        yield from super().issues()
        if self.negative:
            for key in self.given(*self.only_positive):
                yield Issue((key,), f"'{key}' has no effect when '{self.verdict}' is false", "Leave one of them out.")
        if self.control is not None:
            yield from self._control_faults(self.control)

    def _control_faults(self, control: Control) -> Iterator[Issue]:
        if not self.negative:
            message = f"a control belongs to a negative statement ({self.verdict}: false)"
            yield Issue(("control",), message, "Leave it out: this probe must succeed itself.")
        allowed = ("on", "in_", *self.target)
        changed = [name for name in control.model_fields_set if getattr(control, name) != getattr(self, name, None)]
        if not changed:
            keys = either([name.rstrip("_") for name in allowed])
            yield Issue(("control",), "the control changes nothing, so it cannot succeed", f"Change {keys} in it.")
        for name in control.model_fields_set - set(allowed):
            keys = listed([name.rstrip("_") for name in allowed])
            yield Issue(("control", name), f"this probe has no '{name}' that a control could change", f"It has {keys}.")


def absolute(path: str) -> Iterator[Issue]:
    """What is wrong with a `path` that must be absolute."""
    if not path.startswith("/"):
        yield Issue(("path",), f"'{path}' is not an absolute path", "Begin it with /.")

"""Checks: what a playbook says must be true, one key naming the kind.

A negative statement (`open: false`, `reachable: false`, `resolves: false`) proves something only if the same probe
works where it should. So it carries a `control`: the same probe with the given fields changed, which must succeed, or
it stands in `steps` next to its positive twin.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from .actions import ACTIONS, Action, Connection, Scaling, ServiceTask
from .base import Duration, Fault, Model
from .matcher import Matcher, MatcherSpec
from .probes import (
    Address,
    CommandProbe,
    Control,
    DnsProbe,
    FileProbe,
    HttpProbe,
    InspectProbe,
    MountProbe,
    NegatableProbe,
    PingProbe,
    PortProbe,
    Probe,
    PublishedPort,
    SharedFileProbe,
    Target,
    VethProbe,
)
from .problems import listed
from .run import RunProbe

__all__ = [
    "ACTIONS",
    "KINDS",
    "Action",
    "Address",
    "AnyProbe",
    "Capability",
    "Check",
    "CommandProbe",
    "Connection",
    "Control",
    "DnsProbe",
    "FileProbe",
    "HttpProbe",
    "InspectProbe",
    "Matcher",
    "MatcherSpec",
    "MountProbe",
    "NegatableProbe",
    "PingProbe",
    "PortProbe",
    "Probe",
    "PublishedPort",
    "RunProbe",
    "Scaling",
    "ServiceTask",
    "SharedFileProbe",
    "Step",
    "Target",
    "VethProbe",
]

KINDS = ("command", "run", "http", "ping", "dns", "port", "mount", "file", "shared_file", "veth", "inspect")

Capability = Literal["nfs", "ipvs", "iscsi", "vxlan", "xfrm", "macvlan", "ipvlan", "xfs"]
"""What not every kind of machines can do."""

_KINDS_ARE = f"The kinds are {listed(KINDS)}."


AnyProbe = Probe | InspectProbe | RunProbe | VethProbe


class _Kinds(Model):
    """The keys of which one names the kind of a probe."""

    command: CommandProbe | None = None
    run: RunProbe | None = None
    http: HttpProbe | None = None
    ping: PingProbe | None = None
    dns: DnsProbe | None = None
    port: PortProbe | None = None
    mount: MountProbe | None = None
    file: FileProbe | None = None
    shared_file: SharedFileProbe | None = None
    veth: VethProbe | None = None
    inspect: InspectProbe | None = None

    @property
    def kind(self) -> str:
        """The key that names the kind, or "" where `do` or `steps` stand in its place."""
        return next(iter(self.given(*KINDS)), "")

    @property
    def probe(self) -> AnyProbe | None:
        found: AnyProbe | None = getattr(self, self.kind) if self.kind else None
        return found


class Step(_Kinds):
    """One probe of several in order, or an action between them: exactly one key besides `within`."""

    do: Action | None = None
    within: Duration | None = Field(default=None, description="asked again until it holds or this time is up")

    def faults(self) -> Iterator[Fault]:
        given = self.given(*KINDS, "do")
        if len(given) != 1:
            found = f"not {listed(given)}" if given else "but has none"
            yield Fault((), f"a step is exactly one probe or action, {found}", "" if given else _KINDS_ARE)
        if self.do is not None and self.within is not None:
            yield Fault(("within",), "an action is done once: 'within' is for probes", key=True)


class Check(_Kinds):
    """One statement: exactly one kind, or `steps`."""

    title: str = Field(min_length=1, description="the statement, as one sentence")
    steps: list[Step] = Field(default_factory=list, description="several probes in order, and actions between them")
    finally_: list[CommandProbe] = Field(
        default_factory=list,
        alias="finally",
        description="commands that tidy up after the steps, however they end; they must succeed",
    )
    within: Duration | None = Field(default=None, description="asked again until it holds or this time is up")
    for_: Duration | None = Field(default=None, alias="for", description="must hold all this time")
    needs: list[Capability] = Field(default_factory=list, description="what the machines must be capable of")
    hint: str = Field(default="", description="what to look at when it fails")

    def faults(self) -> Iterator[Fault]:
        given = self.given(*KINDS, "steps")
        if len(given) != 1:
            found = f"not {listed(given)}" if given else "but has none"
            remedy = "Write one check per kind, or put them in order under steps." if given else _KINDS_ARE
            yield Fault((), f"a check has exactly one kind, or steps, {found}", remedy)
        if given == ["steps"] and not any(step.probe for step in self.steps):
            yield Fault(("steps",), "no step asks anything, so this check asserts nothing", _KINDS_ARE, key=True)
        if self.given("finally_") and not self.steps:
            yield Fault(("finally",), "'finally' tidies up after steps, and there are none", "Leave it out.", key=True)
        for path, probe in self.negatives():
            if probe.control is None and not self._has_positive_twin(probe):
                yield Fault((*path, probe.verdict), *_needs_control(probe), key=True)

    def probes(self) -> Iterator[tuple[tuple[str | int, ...], AnyProbe]]:
        """Every probe of this check, with the keys that lead to it."""
        if self.probe is not None:
            yield (self.kind,), self.probe
        for index, step in enumerate(self.steps):
            if step.probe is not None:
                yield ("steps", index, step.kind), step.probe

    def negatives(self) -> Iterator[tuple[tuple[str | int, ...], NegatableProbe]]:
        for path, probe in self.probes():
            if isinstance(probe, NegatableProbe) and probe.negative:
                yield path, probe

    def _has_positive_twin(self, probe: NegatableProbe) -> bool:
        return any(
            type(other) is type(probe)
            and isinstance(other, type(probe))
            and not other.negative
            and probe.same_target(other)
            for _, other in self.probes()
        )


def _needs_control(probe: NegatableProbe) -> tuple[str, str]:
    return (
        f"'{probe.verdict}: false' alone proves nothing: the probe itself might not work",
        "Add control: with the place or target where the same probe must succeed,\n"
        f"or put it in steps: next to the same probe with {probe.verdict}: true.",
    )

"""Checks: what a playbook says must be true, one key naming the kind.

A negative statement (`open: false`, `reachable: false`, `resolves: false`) proves something only if the same probe
works where it should. So it carries a `control`: the same probe with the given fields changed, which must succeed, or
it stands in `steps` next to its positive twin.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeVar

from pydantic import ConfigDict, Field, PrivateAttr, create_model

from .actions import ACTIONS, Action, AsAction, Connection, Scaling, ServiceTask
from .base import Duration, Issue, Model
from .deferred import Deferred
from .kinds import kinds
from .matcher import Matcher, MatcherSpec
from .probes import Address, Control, NegatableProbe, Probe, PublishedPort, Target
from .problems import listed
from .source import KeyPath

__all__ = [
    "ACTIONS",
    "Action",
    "Address",
    "Capability",
    "Check",
    "Connection",
    "Control",
    "Matcher",
    "MatcherSpec",
    "NegatableProbe",
    "PlacedProbe",
    "Probe",
    "PublishedPort",
    "Scaling",
    "ServiceTask",
    "Step",
    "Target",
    "check_model",
]

Capability = Literal["nfs", "ipvs", "iscsi", "vxlan", "xfrm", "macvlan", "ipvlan", "xfs"]
"""What not every kind of machines can do."""


class PlacedProbe(NamedTuple):
    """A probe of a check, its kind, and the keys that lead to it."""

    path: KeyPath
    kind: str
    probe: Model


class _Kinds(Model):
    """A mapping in which one key names the kind of a probe.

    `_with_kinds` adds these keys.
    """

    model_config = ConfigDict(defer_build=True)

    @property
    def kind(self) -> str:
        """The key that names the kind, or "" where `do` or `steps` stand in its place."""
        return next(iter(self.given(*_keys(type(self)))), "")

    @property
    def probe(self) -> Model | None:
        found: Model | None = getattr(self, self.kind) if self.kind else None
        return found


class Step(_Kinds):
    """One probe of several in order, or an action between them.

    Exactly one key besides `within`.
    """

    do: Annotated[Action, AsAction()] | None = None
    within: Duration | None = Field(default=None, description="repeated until it passes or this time is up")

    def issues(self) -> Iterator[Issue]:
        given = self.given(*_keys(type(self)), "do")
        if len(given) != 1:
            found = f"not {listed(given)}" if given else "but has none"
            yield Issue((), f"a step is exactly one probe or action, {found}", "" if given else _kinds_are())
        if self.do is not None and self.within is not None:
            yield Issue(("within",), "an action is carried out once: 'within' is for probes", key=True)


class Check(_Kinds):
    """One statement: exactly one kind, or `steps`."""

    title: str = Field(min_length=1, description="the statement, as one sentence")
    steps: list[Annotated[Step, Deferred(lambda: step_model())]] = Field(
        default_factory=list, description="several probes in order, and actions between them"
    )
    finally_: list[Annotated[Any, Deferred(lambda: kinds()["command"].model)]] = Field(
        default_factory=list,
        alias="finally",
        description="commands that tidy up after the steps, however they end; they must succeed",
    )
    within: Duration | None = Field(default=None, description="repeated until it passes or this time is up")
    for_: Duration | None = Field(default=None, alias="for", description="must pass for all of this time")
    needs: list[Capability] = Field(default_factory=list, description="what the machines must be capable of")
    hint: str = Field(default="", description="what to check when it fails")
    _lacks: str = PrivateAttr(default="")
    _derived: bool = PrivateAttr(default=False)

    @property
    def derived(self) -> bool:
        """Whether it follows from the files of a stack, so that nobody wrote it."""
        return self._derived

    def as_derived(self) -> Self:
        """The same statement, as one that nobody wrote."""
        check = self.model_copy()
        check._derived = True
        return check

    @property
    def lacks(self) -> str:
        """What the inventory lacks for this statement, which then has no probes.

        "" when it lacks nothing.
        """
        return self._lacks

    @classmethod
    def lacking(cls, title: str, reason: str) -> Check:
        """A statement that cannot be made."""
        check = cls.model_construct(title=title)
        check._lacks = reason
        return check

    def issues(self) -> Iterator[Issue]:
        if self.lacks:
            return
        given = self.given(*_keys(type(self)), "steps")
        if len(given) != 1:
            found = f"not {listed(given)}" if given else "but has none"
            remedy = "Write one check per kind, or put them in order under steps." if given else _kinds_are()
            yield Issue((), f"a check has exactly one kind, or steps, {found}", remedy)
        if given == ["steps"] and not any(step.probe for step in self.steps):
            yield Issue(("steps",), "no step probes anything, so this check asserts nothing", _kinds_are(), key=True)
        yield from self._early_heals()
        if self.given("finally_") and not self.steps:
            yield Issue(("finally",), "'finally' tidies up after steps, and there are none", "Leave it out.", key=True)
        for path, probe in self.negatives():
            if probe.control is None and not self._has_positive_twin(probe):
                yield Issue((*path, probe.verdict), *_needs_control(probe), key=True)

    def probes(self) -> Iterator[PlacedProbe]:
        """Every probe of this check."""
        if self.probe is not None:
            yield PlacedProbe((self.kind,), self.kind, self.probe)
        for index, step in enumerate(self.steps):
            if step.probe is not None:
                yield PlacedProbe(("steps", index, step.kind), step.kind, step.probe)

    def negatives(self) -> Iterator[tuple[KeyPath, NegatableProbe]]:
        for path, _, probe in self.probes():
            if isinstance(probe, NegatableProbe) and probe.negative:
                yield path, probe

    @property
    def faults(self) -> bool:
        """Whether it injects faults, so it runs alone.

        And so that other failures at that time explain nothing.
        """
        return any(step.do is not None and step.do.breaks for step in self.steps)

    def _early_heals(self) -> Iterator[Issue]:
        injected = False
        for index, step in enumerate(self.steps):
            if step.do is not None and step.do.heal and not injected:
                yield Issue(("steps", index, "do"), "no step before this one injects a fault", "Leave it out.")
            injected = injected or (step.do is not None and step.do.fault is not None)

    def _has_positive_twin(self, probe: NegatableProbe) -> bool:
        return any(
            type(other) is type(probe)
            and isinstance(other, type(probe))
            and not other.negative
            and probe.same_target(other)
            and other.covers(probe)
            for _, _, other in self.probes()
        )


def _needs_control(probe: NegatableProbe) -> tuple[str, str]:
    return (
        f"'{probe.verdict}: false' alone proves nothing: the probe itself might not work",
        "Add control: with the place or target where the same probe must succeed,\n"
        f"or put it in steps: next to the same probe at the same place with {probe.verdict}: true.",
    )


K = TypeVar("K", bound=_Kinds)


@cache
def check_model() -> type[Check]:
    """A check with a key for every kind."""
    return _with_kinds(Check)


@cache
def step_model() -> type[Step]:
    return _with_kinds(Step)


def _with_kinds(base: type[K]) -> type[K]:
    keys: dict[str, Any] = {name: (kind.model | None, None) for name, kind in kinds().items()}
    complete: type[K] = create_model(base.__name__, __base__=base, __module__=__name__, __doc__=base.__doc__, **keys)
    return complete


def _keys(model: type[Model]) -> list[str]:
    """The kinds of which a model has keys: none before it is complete."""
    return [name for name in kinds() if name in model.model_fields]


def _kinds_are() -> str:
    return f"The kinds are {listed(kinds())}."

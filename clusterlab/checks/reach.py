"""What the kinds of network probes share.

Reached or not, and negative statements with their control.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from clusterlab.errors import ClusterlabError
from clusterlab.model.probes import Address, Control, NegatableProbe, Probe, ReachProbe, Target
from clusterlab.results import Link

from .finding import Finding, ask_each, finding, unasked
from .kind import CheckKind
from .manual.line import Line
from .manual.where import Where
from .owners import HINT as OWNERS_HINT
from .owners import containers_of, mistaken
from .place import Place
from .places import Places
from .reached import Reach
from .resolve import prove_absent

N = TypeVar("N", bound=ReachProbe)
C = TypeVar("C", bound=NegatableProbe)

_CONTROL_HINT = (
    "as long as the control does not pass, the negative statement proves nothing: fix what the control probes first"
)
_GOSSIP_HINT = "names of containers on other hosts come by gossip: TCP and UDP 7946 must be open {}"
_NAME_HINT = "Docker's DNS knows a container's name only on a network that both share, and never on the default bridge"
_APART_HINT = "something that must be kept away gets through"


class Shown(NamedTuple):
    """A command for a person, and what it shows when the target is reached.

    With the proof that it is reached, or must not be.
    """

    command: str
    wanted: str
    proof: str


class Verdict(NamedTuple):
    """Whether an answer fits a positive statement, and a hint when it does not."""

    holds: bool
    found: str
    wanted: str
    hint: str


class ReachKind(CheckKind[N]):
    """A kind whose probes reach something over the network, or assert the opposite."""

    hint: str
    """What to look at when a target is not reached."""

    @abstractmethod
    def summary(self, probe: N) -> str:
        """What is reached, as a sentence: "192.168.98.11 answers 2 of 2 pings"."""

    @abstractmethod
    def reach(self, probe: N, place: Place, places: Places, kept: bool) -> Reach:
        """Try it at one place; `kept` says whether a host must stay on the LAN.

        Raises NotUnderstood.
        """

    @abstractmethod
    def shown(self, probe: N, place: Place, where: Where, kept: bool) -> Shown:
        """What a person types at one place, and sees."""

    @abstractmethod
    def target(self, probe: N) -> Target:
        """What is reached."""

    def how(self, probe: N) -> str:
        """How it is reached: see `Link`; "" for a kind that shows no link."""
        return ""

    def expected(self, probe: N) -> str:
        """What a positive statement expects, as a sentence.

        More than the summary where the answer counts.
        """
        return self.summary(probe)

    def judge(self, probe: N, met: Reach, places: Places) -> Verdict:
        """What a positive statement makes of an answer."""
        return Verdict(met.reached, met.found, self.expected(probe), self.hint)

    def ask(self, probe: N, places: Places) -> list[Finding]:
        """Probe from each place, and run the control when it is a negative statement.

        A negative statement passes at a place only when the network kept the probe away there, and its control reached
        what it should.
        """
        findings = []
        for one in probe.each():
            findings += self._of_one(one, places, self._pairs(probe, one, places.of(one)))
        return [*findings, *self._controls(probe, places)]

    def _of_one(self, probe: N, places: Places, at: Sequence[Place]) -> list[Finding]:
        """What is found at some places of a probe with one target."""
        if isinstance(probe, NegatableProbe) and probe.negative:
            return self._apart(places, probe, at)
        return self._reached(places, probe, at, kept(probe))

    def _pairs(self, probe: N, one: N, at: Sequence[Place]) -> list[Place]:
        """The places from which a target is asked for.

        Of several targets each place leaves itself out.
        """
        return list(at) if probe is one else [place for place in at if not _is_itself(self.target(one), place)]

    def _others(self, control: N, at: Sequence[Place]) -> list[Place]:
        """The places of a control but the target itself, unless that is the only one."""
        return [place for place in at if not _is_itself(self.target(control), place)] or list(at)

    def _controls(self, probe: N, places: Places) -> list[Finding]:
        """The control of a negative statement.

        For each of its targets, unless it has a target of its own.
        """
        findings: list[Finding] = []
        for control in _controls(probe):
            try:
                at = self._others(control, places.of(control))
                findings += self._reached(places, control, at, True, "control: ", _CONTROL_HINT)
            except ClusterlabError as error:
                findings.append(unasked("control", "the control of the statement", error))
        return findings

    def _reached(
        self, places: Places, probe: N, everywhere: Sequence[Place], kept: bool, before: str = "", hint: str = ""
    ) -> list[Finding]:
        def at(place: Place) -> Finding:
            met = self.reach(probe, place, places, kept)
            verdict = self.judge(probe, met, places)
            wrong = mistaken(self.target(probe), met, place, places) if verdict.holds else ""
            holds, found = verdict.holds and not wrong, f"{verdict.found}, but {wrong}" if wrong else verdict.found
            return finding(
                place,
                met.command,
                holds=holds,
                wanted=before + verdict.wanted,
                found=found,
                output=met.output,
                hint=OWNERS_HINT if wrong else hint or self._name_hint(probe, met, place, places) or verdict.hint,
                links=self._links(probe, place, places, True, holds, found),
            )

        unknown = partial(self._links, probe, places=places, wanted=True)
        return ask_each(everywhere, before + self.expected(probe), at, unknown)

    def _apart(self, places: Places, probe: N, everywhere: Sequence[Place]) -> list[Finding]:
        wanted = f"must not be: {self.summary(probe)}"

        def at(place: Place) -> Finding:
            met = self.reach(probe, place, places, True)
            wrong = "" if met.reached else self._proves_nothing(probe, met, place, places)
            return finding(
                place,
                met.command,
                holds=not met.reached and not wrong,
                wanted=wanted,
                found=f"{met.found}, but {wrong}" if wrong else met.found,
                output=met.output,
                hint=OWNERS_HINT if wrong else _APART_HINT,
                links=self._links(probe, place, places, False, met.reached, met.found),
            )

        return ask_each(everywhere, wanted, at, partial(self._links, probe, places=places, wanted=False))

    def _proves_nothing(self, probe: N, met: Reach, place: Place, places: Places) -> str:
        """Why it does not count that a target was not reached; "" when it does.

        Raises NotUnderstood.
        """
        target = self.target(probe)
        if met.unresolved:
            prove_absent(places.target(place, target), place, places)
        return mistaken(target, met, place, places)

    def _name_hint(self, probe: N, met: Reach, place: Place, places: Places) -> str:
        """What to look at when a name does not resolve; "" when that is not why."""
        if not met.unresolved or not place.container:
            return ""
        elsewhere = {one.host for one in containers_of(self.target(probe), place, places)} - {place.host}
        if not elsewhere:
            return _NAME_HINT
        between = f"between {place.host} and {', '.join(sorted(elsewhere))}"
        return f"{_GOSSIP_HINT.format(between)}; or the two share no network: {_NAME_HINT}"

    def _links(
        self, probe: N, place: Place, places: Places, wanted: bool, seen: bool | None = None, found: str = ""
    ) -> list[Link]:
        how = self.how(probe)
        target = name_of(self.target(probe), places)
        return [Link(place.container or place.host, target, how, wanted, seen, found)] if how else []

    def manual(self, probe: N, where: Where) -> Iterator[Line]:
        """What asks at each place.

        For a negative statement what must not work, and then its control, which must.
        """
        before = "not: " if isinstance(probe, NegatableProbe) and probe.negative else ""
        for one in probe.each():
            yield from self._lines(one, where, self._pairs(probe, one, where.of(one)), before, kept(one))
        for control in _controls(probe):
            yield from self._lines(control, where, self._others(control, where.of(control)), "as a control: ", True)

    def _lines(self, probe: N, where: Where, at: Sequence[Place], before: str, kept: bool) -> Iterator[Line]:
        for place in at:
            shown = self.shown(probe, place, where, kept)
            yield from where.taken()
            yield Line(place.host, shown.command, before + shown.wanted, shown.proof)


def _controls(probe: N) -> list[N]:
    """What must succeed for a negative statement to count, each once."""
    if not isinstance(probe, NegatableProbe) or not probe.negative or probe.control is None:
        return []
    found: list[N] = []
    for one in probe.each():
        control = controlled(one, probe.control)
        found += [control] if control not in found else []
    return found


def _is_itself(target: Target, place: Place) -> bool:
    """Whether a target is the place that asks, by its name."""
    name = target.container if isinstance(target, Address) else target
    return name == (place.container or place.host)


def controlled(probe: C, control: Control) -> C:
    """The same probe with the control's fields changed, stating that it is reached."""
    changes = {name: getattr(control, name) for name in control.model_fields_set if name in type(probe).model_fields}
    if control.on or control.in_:
        changes |= {"on": control.on, "in_": control.in_}  # another place, instead of the probe's own
    return probe.model_copy(update={**changes, probe.verdict: True, "control": None})


def kept(probe: Probe) -> bool:
    """Whether hosts must ask over the LAN alone: see `lan`.

    So it is for what cannot be reached, together with its control, and for the address of a container or service.
    """
    negative = isinstance(probe, NegatableProbe) and probe.negative
    return negative or isinstance(getattr(probe, "to", None), Address)


def name_of(target: Target, places: Places) -> str:
    """The place that a target means: a host also where its address is written."""
    if isinstance(target, Address):
        return target.container or f"service {target.service}"
    hosts = places.lab.inventory.hosts
    return next((name for name, host in hosts.items() if str(host.address) == target), target)

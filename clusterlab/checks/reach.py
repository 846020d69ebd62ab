"""What the kinds of network probes share: reached or not, and negative statements with their control."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from clusterlab.errors import ClusterlabError
from clusterlab.model.probes import Address, Control, NegatableProbe

from .finding import Finding, ask_each, finding, unasked
from .kind import CheckKind
from .manual.line import Line
from .manual.where import Where
from .place import Place, Places
from .reached import Reach

N = TypeVar("N", bound=NegatableProbe)

_CONTROL_HINT = "while the control does not succeed, the negative statement proves nothing: fix what it asks first"
_APART_HINT = "something that must be kept away gets through"


class Shown(NamedTuple):
    """A command for a person, what is seen when the target is reached, and the proof that it is, or must not be."""

    command: str
    wanted: str
    proof: str


class ReachKind(CheckKind[N]):
    """A kind whose probes reach something over the network, or state that they cannot."""

    hint: str
    """What to look at when a target is not reached."""

    @abstractmethod
    def summary(self, probe: N) -> str:
        """What is reached, as a sentence: "192.168.98.11 answers 2 of 2 pings"."""

    @abstractmethod
    def reach(self, probe: N, place: Place, places: Places, kept: bool) -> Reach:
        """Try it at one place; `kept` says whether a host must stay on the LAN. Raises NotUnderstood."""

    @abstractmethod
    def shown(self, probe: N, place: Place, where: Where, kept: bool) -> Shown:
        """What a person types at one place, and sees."""

    def ask(self, probe: N, places: Places) -> list[Finding]:
        """Ask at each place of the probe, and its control when it is a negative statement.

        A negative statement passes at a place only when the network kept the probe away there, and its control reached
        what it should.
        """
        if not probe.negative:
            return self._ask(places, probe, self.summary(probe), self.hint, reached=True, kept=kept(probe))
        wanted = f"must not be: {self.summary(probe)}"
        findings = self._ask(places, probe, wanted, _APART_HINT, reached=False, kept=True)
        if probe.control is not None:
            try:
                control = controlled(probe, probe.control)
                wanted = f"control: {self.summary(control)}"
                findings += self._ask(places, control, wanted, _CONTROL_HINT, reached=True, kept=True)
            except ClusterlabError as error:
                findings.append(unasked("control", "the control of the statement", error))
        return findings

    def _ask(self, places: Places, probe: N, wanted: str, hint: str, *, reached: bool, kept: bool) -> list[Finding]:
        def at(place: Place) -> Finding:
            met = self.reach(probe, place, places, kept)
            return finding(
                place,
                met.command,
                holds=met.reached is reached,
                wanted=wanted,
                found=met.found,
                output=met.output,
                hint=hint,
            )

        return ask_each(places.of(probe), wanted, at)

    def manual(self, probe: N, where: Where) -> Iterator[Line]:
        """What asks at each place; for a negative statement what must not work, and then its control, which must."""
        yield from self._lines(probe, where, "not: " if probe.negative else "", kept(probe))
        if probe.negative and probe.control is not None:
            yield from self._lines(controlled(probe, probe.control), where, "as a control: ", kept(probe))

    def _lines(self, probe: N, where: Where, before: str, kept: bool) -> Iterator[Line]:
        for place in where.of(probe):
            shown = self.shown(probe, place, where, kept)
            yield from where.taken()
            yield Line(place.host, shown.command, before + shown.wanted, shown.proof)


def controlled(probe: N, control: Control) -> N:
    """The same probe with the control's fields changed, stating that it is reached."""
    changes = {name: getattr(control, name) for name in control.model_fields_set if name in type(probe).model_fields}
    if control.on or control.in_:
        changes |= {"on": control.on, "in_": control.in_}  # another place, instead of the probe's own
    return probe.model_copy(update={**changes, probe.verdict: True, "control": None})


def kept(probe: NegatableProbe) -> bool:
    """Whether hosts must ask over the LAN alone: see `lan`.

    So it is for what cannot be reached, together with its control, and for the address of a container or service.
    """
    return probe.negative or isinstance(getattr(probe, "to", None), Address)

"""What the network probes share: reached or not, for which reason, and negative statements with their control."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from clusterlab.errors import ClusterlabError
from clusterlab.model.checks import Address, Control, NegatableProbe
from clusterlab.remote.host import Completed

from .finding import Finding, ask_each, finding, unasked
from .place import NotUnderstood, Place, Places

P = TypeVar("P", bound=NegatableProbe)

# Each is the end of a line, as tools write errors; elsewhere (a usage text, a page) the words would mean nothing.
# The order matters: a tool may write a second reason that only follows from the first.
_REASONS = (
    (
        r"bad address '.*'|could not resolve host: .*|unable to resolve host address .*|name or service not known"
        r"|temporary failure in name resolution|no address associated with (host)?name",
        "name not resolved",
    ),
    (r"connection refused", "refused"),
    (r"no route to host|host (is )?unreachable", "no route to host"),
    (r"network is unreachable", "network is unreachable"),
    (r"timed out( after \d+ milliseconds)?", "timed out"),
)

_NOT_SENT = "Failed binding local connection end"  # curl, which then says that it could not resolve an address


@dataclass(frozen=True)
class Reach:
    """What a probe met: `reached`, or kept away by the network for the reason in `found`."""

    reached: bool
    found: str
    command: str
    output: str = ""


def reason(text: str) -> str:
    """Why a connection failed, from what the tool wrote; empty when it is no reason of the network."""
    for pattern, meaning in _REASONS:
        if re.search(rf"(?:{pattern})\.?$", text, re.IGNORECASE | re.MULTILINE):
            return meaning
    return ""


def kept_away(completed: Completed, command: str, text: str) -> Reach:
    """The probe failed: for a reason of the network, or else it counts for nothing (NotUnderstood)."""
    why = reason(text)
    if not why or _NOT_SENT in text:
        raise NotUnderstood(
            f"the answer says neither that it worked nor why the network kept it away (exit code {completed.exit}): "
            f"{text.strip() or 'no output'}",
            command=command,
            detail=completed.output,
        )
    return Reach(False, why, command, completed.output)


def controlled(probe: P, control: Control) -> P:
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


def ask(
    places: Places,
    probe: P,
    reach: Callable[[P, Place, bool], Reach],
    describe: Callable[[P], str],
    hint: str,
) -> list[Finding]:
    """Ask at each place of the probe, and its control when it is a negative statement.

    `reach` is told whether to stay on the LAN. `describe` words what is reached ("answers ping 192.168.98.11"). A
    negative statement holds at a place only when the network kept the probe away there, and its control reached what it
    should.
    """
    if not probe.negative:
        return _ask(places, probe, reach, describe(probe), hint, reached=True, kept=kept(probe))
    findings = _ask(places, probe, reach, f"must not be: {describe(probe)}", hint, reached=False, kept=True)
    if probe.control is not None:
        try:
            control = controlled(probe, probe.control)
            wanted = f"control: {describe(control)}"
            findings += _ask(places, control, reach, wanted, _CONTROL_HINT, reached=True, kept=True)
        except ClusterlabError as error:
            findings.append(unasked("control", "the control of the statement", error))
    return findings


_CONTROL_HINT = "while the control does not succeed, the negative statement proves nothing: mend what it asks first"


def _ask(
    places: Places,
    probe: P,
    reach: Callable[[P, Place, bool], Reach],
    wanted: str,
    hint: str,
    *,
    reached: bool,
    kept: bool,
) -> list[Finding]:
    def at(place: Place) -> Finding:
        met = reach(probe, place, kept)
        return finding(
            place,
            met.command,
            holds=met.reached is reached,
            wanted=wanted,
            found=met.found,
            output=met.output,
            hint=hint if reached else "something that must be kept away gets through",
        )

    return ask_each(places.of(probe), wanted, at)

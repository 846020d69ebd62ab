"""The proof that the network kept a command away, as a person types it.

A command also fails when it cannot be run: no such interface, a network that could not be entered, a missing program.
So it is not enough that it fails: it must print why, as `checks.reached` has it.
"""

from __future__ import annotations

import shlex

from ..network import is_name
from ..place import Place
from ..reached import AWAY, NOT_SENT, UNKNOWN
from .lan import NEAR_CARD
from .where import Where, with_variables

_ANSWERS = "^Name:"  # as nslookup writes what a name server has
_NOBODY = "can't find .*: (NXDOMAIN|No answer{})"
_OF_DOCKER = (
    "|SERVFAIL|REFUSED"  # its DNS knows all names of containers; others it hands to servers, which may be silent
)


def kept_out(command: str, target: str, reached: str, away: str = "", card: str = "") -> str:
    """Shell commands that succeed when `command` printed why it did not reach a target, and nothing like `reached`.

    The patterns are for grep -E; they also see a last line `exit CODE`. `card` is the interface that the command is
    bound to, which must have been found.
    """
    reasons = f"{UNKNOWN}|{AWAY}" if is_name(target) else AWAY
    why = "|".join([f"({reasons})\\.?$", *filter(None, [away])])
    bound = f"[ {with_variables(card)} ] && " if card and card != NEAR_CARD else ""
    said = f'said=$({command} 2>&1; echo "exit $?")'
    show = 'printf "%s\\n" "$said"'
    no, yes = shlex.quote(f"{reached}|{NOT_SENT}"), shlex.quote(why)
    return f"{bound}{said} && ! {show} | grep -qE {no} && {show} | grep -qiE {yes}"


def unknown(place: Place, name: str, where: Where) -> str:
    """Shell commands that succeed when a name server reports that there is no such name."""
    return f"{where.nslookup(place, name)} 2>&1 | grep -qE {shlex.quote(_nobody(place))}"


def answered(place: Place, target: str, where: Where) -> str:
    """Shell commands that succeed when a name server answers about a target, whatever it says; "" for an address.

    Without an answer, what asks for a name proves nothing about the network.
    """
    if not is_name(target):
        return ""
    said = shlex.quote(f"{_ANSWERS}|{_nobody(place)}")
    return f"{where.nslookup(place, target)} 2>&1 | grep -qE {said} && "


def _nobody(place: Place) -> str:
    return _NOBODY.format(_OF_DOCKER if place.container else "")

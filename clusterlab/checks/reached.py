"""What a network probe met.

It reached its target, or the network kept it away, and why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clusterlab.remote.completed import Completed

from .place import NotUnderstood

CONNECTED = r"^\* (Connected|Established (2nd )?connection) to "
"""How `curl -v` reports a TCP connection, before version 8.16 and since: a pattern for Python and for grep -E."""
TRIED = re.compile(r"^(?:\*\s+Trying \S|Connecting to )", re.MULTILINE)
"""How curl and wget begin to connect to an address: after the name is resolved."""
TIMED_OUT = "timed out"
UNRESOLVED = "name not resolved"
# Each is the end of a line, as tools write errors; elsewhere (a usage text, a page) the words would mean nothing.
# The order matters: a tool may write a second reason that only follows from the first.
_REASONS = (
    (
        r"bad address '.*'|could not resolve host: .*|unable to resolve host address .*|name or service not known"
        r"|temporary failure in name resolution|no address associated with (host)?name",
        UNRESOLVED,
    ),
    (r"connection refused", "refused"),
    (r"no route to host|host (is )?unreachable", "no route to host"),
    (r"network is unreachable", "network is unreachable"),
    (r"timed out( after [0-9]+ milliseconds)?", TIMED_OUT),
)
AWAY = "|".join(pattern for pattern, why in _REASONS if why != UNRESOLVED)
"""How tools report, at the end of a line, that the network kept them away from an address: a pattern for grep -iE."""
UNKNOWN = "|".join(pattern for pattern, why in _REASONS if why == UNRESOLVED)
"""How they report that a name did not resolve; where none was asked for, it is the interface that they do not know."""

NOT_SENT = "Failed binding local connection end|can't bind to interface"
"""What curl and busybox's ping print when they could not be bound to an interface: a pattern for grep -E.

Curl then says that it could not resolve an address, and ping sends its packets over any other interface.
"""


@dataclass(frozen=True)
class Reach:
    """What a probe met: `reached`, or the network's reason for failing in `found`."""

    reached: bool
    found: str
    command: str
    output: str = ""
    addresses: tuple[str, ...] = ()  # that the tool says it used, or that a name resolves to
    unresolved: bool = False  # not reached because its name did not resolve


def reason(text: str) -> str:
    """Why a connection failed, from what the tool wrote.

    Empty when the reason is not the network.
    """
    for pattern, meaning in _REASONS:
        if re.search(rf"(?:{pattern})\.?$", text, re.IGNORECASE | re.MULTILINE):
            return meaning
    return ""


def kept_away(completed: Completed, command: str, text: str) -> Reach:
    """The probe failed, for a reason of the network.

    Any other reason counts for nothing (NotUnderstood).
    """
    why = reason(text)
    if not why or re.search(NOT_SENT, text):
        raise NotUnderstood(
            f"the output says neither that it worked nor why the network failed (exit code {completed.exit}): "
            f"{text.strip() or 'no output'}",
            command=command,
            detail=completed.output,
        )
    return Reach(False, why, command, completed.output, unresolved=why == UNRESOLVED)

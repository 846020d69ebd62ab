"""What can be done to machines from outside them.

A kind of machines declares it, and what its machines do not share.
"""

from __future__ import annotations

from typing import Literal, Protocol

Operation = Literal["unplug", "plug", "power_off", "power_on", "pause", "resume", "reset", "throttle", "unthrottle"]
"""Unplug the LAN card, end the machine as when the power fails, stop it where it stands, press its reset button, limit
the operations per second of its disk."""

UNDO: dict[Operation, Operation] = {
    "unplug": "plug",
    "power_off": "power_on",
    "pause": "resume",
    "throttle": "unthrottle",
}
"""What makes good each operation; a reset does that by itself."""

Ability = Literal["unplug", "power", "pause", "reset", "throttle", "clock", "disk", "memory", "delay", "init"]
"""Operations from outside, and what machines have of their own: a clock, a disk and memory that can be full, a kernel
that can delay packets, an init system that restarts services."""

ABILITIES: dict[Operation, Ability] = {
    "unplug": "unplug",
    "plug": "unplug",
    "power_off": "power",
    "power_on": "power",
    "pause": "pause",
    "resume": "pause",
    "reset": "reset",
    "throttle": "throttle",
    "unthrottle": "throttle",
}
"""The ability that each operation needs."""


class Outside(Protocol):
    """The machines of a lab from outside.

    The attribute `outside` of machines whose kind has such abilities.
    """

    def carry_out(self, host: str, operation: Operation, value: int = 0) -> None:
        """Do it, and return once it is done; what is already so is not an error.

        Raises ClusterlabError when it cannot.

        `value` is for `throttle`: how many operations of its disk a machine may have in a second.
        """

    def state(self, host: str) -> Literal["running", "paused", "off"]:
        """How the machine is, as seen from outside it."""

"""What can become another in machines that are up: their release, and with it their engine, and the MTU of the LAN.

A kind of machines declares it; its machines then have an attribute `changing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

from clusterlab.progress import Progress

Part = Literal["release", "mtu"]
"""The release of a host's root file system; the MTU of its card in the LAN."""


class Values(NamedTuple):
    """What the inventory says, and what the machine has."""

    wanted: str
    found: str


class Changing(Protocol):
    """The machines of a lab that are up, and an inventory that they may not be like."""

    def differences(self, host: str) -> Mapping[Part, Values]:
        """What of a machine is not as the inventory says."""

    def change(self, host: str, progress: Progress) -> None:
        """Make a machine as the inventory says, and return once SSH and its engine answer again.

        What it stores stays. Raises ClusterlabError.
        """

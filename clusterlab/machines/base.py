"""What every kind of machines can do, and nothing more.

A kind is a class with these methods; `clusterlab.machines.open_machines` picks it by the inventory's `machines:`.
Nothing above machines/ knows which kind it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from clusterlab.capabilities import Capabilities
from clusterlab.progress import Progress
from clusterlab.remote.target import Target

State = Literal["absent", "starting", "running", "stopped", "unreachable"]


@dataclass(frozen=True)
class MachineStatus:
    """One host as it is now; `detail` says what a person would ask next: a port, a process, why it does not answer."""

    host: str
    state: State
    detail: str = ""


class Machines(Protocol):
    """The machines of one lab."""

    kind: str

    def up(self, progress: Progress, keep: bool = False) -> None:
        """Make every host exist and answer over SSH; running ones are left as they are.

        When it fails, logs are collected and what this call made is removed, unless `keep`.
        """

    def down(self, progress: Progress) -> None:
        """Remove every machine and all state of the lab; raises ClusterlabError naming what is left, if anything is."""

    def status(self) -> list[MachineStatus]:
        """Every host of the lab, in the inventory's order."""

    def targets(self) -> dict[str, Target]:
        """How each host is reached; raises ClusterlabError when the machines are not up."""

    def collect(self, folder: Path, progress: Progress) -> None:
        """Copy what is known of the machines from outside (console logs, QEMU's and engines' output) into `folder`."""

    def unsupported(self) -> Capabilities:
        """Capabilities (nfs, ipvs, iscsi, ...) that hosts lack, each with the reason."""

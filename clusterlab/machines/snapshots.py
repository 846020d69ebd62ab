"""Snapshots, for those kinds of machines that have them.

Saved states of all machines of a lab at one moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from clusterlab.errors import UsageError
from clusterlab.progress import Progress

from .base import Machines
from .kinds import MACHINE_KINDS


@dataclass(frozen=True)
class Snapshot:
    """What a person wants to know of a snapshot.

    It can be restored when there are no `incompatibilities`.
    """

    name: str
    taken: datetime | None  # None when it cannot be read
    size: int  # bytes on this computer's disk
    machines: tuple[str, ...]
    incompatibilities: tuple[str, ...]  # why it no longer fits the lab


class Snapshots(Protocol):
    """The snapshots of a lab."""

    def names(self) -> list[str]:
        """Snapshots that there are, sorted."""

    def known(self) -> list[Snapshot]:
        """All of them, the newest last."""

    def require(self, name: str) -> None:
        """Raise UsageError when there is no snapshot of that name."""

    def require_free(self, name: str) -> None:
        """Raise UsageError for a name that is taken or no name."""

    def take(self, name: str, progress: Progress) -> None:
        """Save all machines as they are at one moment.

        They run on, also when that fails, and nothing is kept then.

        Raises UsageError for a name that is taken or no name, ClusterlabError with the reason for everything else.
        """

    def restore(self, name: str, progress: Progress) -> None:
        """Bring every machine to where it was saved.

        Running and reachable, with its clock set.

        Raises UsageError when there is none of that name, ClusterlabError with the reason when it no longer fits the
        inventory or the image, and when it fails: which state the machines are in then, and how to go on.
        """

    def end_machines(self, progress: Progress) -> None:
        """End all machines and keep the lab's state with its snapshots.

        A restore starts the machines again.
        """

    def remove(self, name: str) -> None:
        """Remove a snapshot; machines that were restored from it run on.

        Raises UsageError when there is none.
        """


class _WithSnapshots(Protocol):
    """Machines of a kind that declares `snapshots`."""

    @property
    def snapshots(self) -> Snapshots: ...


def snapshots_of(machines: Machines, remedy: str = "") -> Snapshots:
    """The snapshots of a lab's machines.

    Raises UsageError when this kind of machines has none.
    """
    if not machines.kind.snapshots:
        saved = ", ".join(kind.name for kind in MACHINE_KINDS.values() if kind.snapshots)
        raise UsageError(
            f"{machines.kind.name} machines have no snapshots", remedy=remedy or f"Machines that have them: {saved}."
        )
    return cast(_WithSnapshots, machines).snapshots

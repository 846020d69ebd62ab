"""Snapshots, for those kinds of machines that have them: all that a night needs of them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from clusterlab.errors import UsageError
from clusterlab.machines import Machines
from clusterlab.progress import Progress


class Snapshots(Protocol):
    """Saved states of all machines of a lab."""

    def names(self) -> list[str]:
        """Snapshots that there are, sorted."""

    def restore(self, name: str, progress: Progress) -> None:
        """Bring every machine to where it was saved, running and reachable, its clock right.

        Raises ClusterlabError with the reason when the snapshot no longer fits the inventory or the image.
        """


@runtime_checkable
class HasSnapshots(Protocol):
    """Machines that can be saved: they have an attribute `snapshots`."""

    @property
    def snapshots(self) -> Snapshots: ...


def snapshots_of(machines: Machines) -> Snapshots:
    """The snapshots of a lab's machines; raises UsageError when this kind of machines has none."""
    if not isinstance(machines, HasSnapshots):
        raise UsageError(
            f"machines of kind {machines.kind} have no snapshots",
            remedy="Start from a fresh lab (--start fresh), or from the lab as it is (--start apply).",
        )
    return machines.snapshots

"""The state that a nightly run starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clusterlab.errors import UsageError
from clusterlab.machines import MachineKind, Machines
from clusterlab.machines.snapshots import snapshots_of
from clusterlab.model.problems import suggest
from clusterlab.progress import Progress

_INSTEAD = "Start from a fresh lab (--start fresh), or from the lab as it is (--start apply)."


@dataclass(frozen=True)
class Start:
    """`fresh`: recreated machines; `apply`: the lab as it is.

    `restore`: the snapshot named.
    """

    kind: Literal["fresh", "apply", "restore"]
    snapshot: str = ""


def parse_start(text: str, kind: MachineKind) -> Start:
    """How a nightly run starts, as the command line says.

    Without the option, as suits the machines.

    Raises UsageError for other words.
    """
    if not text:
        return Start("fresh" if kind.creates else "apply")
    verb, _, name = text.partition(":")
    if text in ("fresh", "apply"):
        return Start("fresh" if text == "fresh" else "apply")
    if verb == "restore" and name:
        return Start("restore", name)
    raise UsageError(f"a nightly run cannot start from {text!r}", remedy="Give fresh, apply, or restore:SNAPSHOT.")


def check_start(start: Start, machines: Machines) -> None:
    """Raise UsageError when these machines cannot be brought there."""
    if not machines.kind.creates and start.kind != "apply":
        raise UsageError(
            f"{machines.kind.name} machines cannot be recreated or restored",
            remedy="Leave --start out: a nightly run on them starts from their present state.",
        )
    if start.kind == "restore":
        known = snapshots_of(machines, _INSTEAD).names()
        if start.snapshot not in known:
            remedy = suggest(start.snapshot, known, "The snapshots are") or "Make one first."
            raise UsageError(f"there is no snapshot {start.snapshot!r}", remedy=remedy)


def to_known_state(start: Start, machines: Machines, progress: Progress) -> str:
    """Bring the machines there, running; returns what was done.

    Raises ClusterlabError.
    """
    if start.kind == "restore":
        snapshots_of(machines).restore(start.snapshot, progress)
        return f"restored the snapshot {start.snapshot}"
    if start.kind == "fresh":
        machines.down(progress)
        machines.up(progress)
        return "recreated the machines"
    if not machines.kind.creates:
        return "the machines as they are"
    machines.up(progress)
    return "the machines as they are, those that were down started"

"""Every lab that this workstation knows, also those whose files are gone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.machines import recall_machines
from clusterlab.machines.paths import known_labs
from clusterlab.machines.saved_labs import saved_labs
from clusterlab.machines.state import LabState
from clusterlab.nightly.runs import Runs, labs_with_runs


@dataclass(frozen=True)
class KnownLab:
    """A lab by its state, its runs, and what was saved of it.

    `machines` says how many are in which state, `last` how its last run ended, `saved` how many bytes its saved state
    takes.
    """

    name: str
    kind: str
    machines: str
    folder: str
    folder_exists: bool
    runs: int
    last: str
    saved: int


def is_gone(folder: Path) -> bool:
    """Whether a lab's folder no longer exists.

    One that was noted as seen from another folder proves nothing here.
    """
    return folder.is_absolute() and not folder.is_dir()


def labs() -> list[KnownLab]:
    """All labs with state or runs, or saved, by name.

    What is unknown about one says why, and hides no other.
    """
    with_state, saved = set(known_labs()), {one.lab: one.size for one in saved_labs()}
    names = sorted(with_state | set(labs_with_runs()) | set(saved))
    return [_known(name, name in with_state, saved.get(name, 0)) for name in names]


def _known(name: str, has_state: bool, saved: int) -> KnownLab:
    kind, machines, folder = _machines(name) if has_state else ("", "none", "")
    runs = Runs(name).all()
    last = ""
    if runs:
        try:
            newest = runs[-1].read()
            last = f"{'running' if runs[-1].is_running() else newest.outcome} ({runs[-1].name})"
            kind, folder = kind or "?", folder or (str(Path(newest.inventory).parent) if newest.inventory else "")
        except ClusterlabError:
            last = f"unreadable ({runs[-1].name})"
    exists = bool(folder) and not is_gone(Path(folder))
    return KnownLab(name, kind or "?", machines, folder, exists, len(runs), last, saved)


def _machines(name: str) -> tuple[str, str, str]:
    """Kind, states and folder of a lab that has state."""
    try:
        record = LabState(name).read()
        if record is None:
            return "", "state without a record", ""
        states = Counter(status.state for status in recall_machines(name).status())
        counted = ", ".join(f"{number} {state}" for state, number in states.items())
        return record.kind, counted or "none", str(record.folder)
    except ClusterlabError as error:
        return "", f"unknown: {error.message}", ""

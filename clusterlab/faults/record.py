"""faults.json in a lab's state.

What is injected, written before it is injected, so that `heal` finds all of it.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clusterlab.errors import ClusterlabError
from clusterlab.files import write_atomically
from clusterlab.machines.outside import Operation
from clusterlab.machines.state import LabState

FILE = "faults.json"


class FaultRecord(BaseModel):
    """One fault, with all that healing it and proving that takes."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: str
    params: dict[str, Any]
    """As a file would have them, with hosts in place of targets that may mean another one later."""
    began: float = Field(default_factory=time.time)
    before: dict[str, str] = Field(default_factory=dict)
    heals: dict[str, str] = Field(default_factory=dict)
    """The script that heals it, by host."""
    outside: dict[str, Operation] = Field(default_factory=dict)
    """What was done to machines from outside."""
    flaps: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Of these hosts it is done and undone again and again: the seconds that it is done, and those that it is not."""
    fingerprints: dict[str, dict[str, list[str]]] = Field(default_factory=dict)

    @classmethod
    def new(cls, kind: str, params: Mapping[str, Any]) -> Self:
        return cls(id=secrets.token_hex(4), kind=kind, params=dict(params))

    @property
    def hosts(self) -> list[str]:
        """The hosts on which something was done."""
        return list(dict.fromkeys([*self.heals, *self.outside]))

    def __str__(self) -> str:
        return f"{self.kind} on {', '.join(self.hosts)}"


def recorded(lab: str) -> list[FaultRecord]:
    """The faults that are recorded for a lab.

    Raises ClusterlabError for a file that cannot be understood.
    """
    file = LabState(lab).folder / FILE
    try:
        return [FaultRecord.model_validate(one) for one in json.loads(file.read_text())]
    except FileNotFoundError:
        return []
    except (ValueError, ValidationError) as error:
        raise ClusterlabError(
            f"the faults of lab {lab} cannot be read: {file}",
            remedy="`clusterlab heal --hosts` heals what the hosts themselves remember.",
            detail=str(error),
        ) from error


def remember(lab: str, record: FaultRecord) -> None:
    """Write a fault into the file, or replace it there.

    On the disk when this returns.
    """
    _write(lab, [*(one for one in recorded(lab) if one.id != record.id), record])


def forget(lab: str, ids: Iterable[str]) -> None:
    """Remove faults from the file."""
    gone = set(ids)
    _write(lab, [one for one in recorded(lab) if one.id not in gone])


def forget_all(lab: str) -> None:
    """Remove the file, whatever is in it."""
    (LabState(lab).folder / FILE).unlink(missing_ok=True)


def _write(lab: str, records: list[FaultRecord]) -> None:
    state = LabState(lab)
    if not records:
        forget_all(lab)
        return
    state.make()
    write_atomically(state.folder / FILE, json.dumps([one.model_dump() for one in records], indent=1) + "\n")


def refuse_while_recorded(lab: str) -> None:
    """Raise ClusterlabError when a fault is recorded.

    What a command sees or changes then is not the lab as it is.
    """
    if found := recorded(lab):
        raise ClusterlabError(
            f"lab {lab}: a fault is injected, or was not healed: {'; '.join(map(str, found))}",
            remedy="Run `clusterlab heal`, which heals it and says what remains.",
        )

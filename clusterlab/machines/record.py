"""The record of a lab: what was made of which inventory, by whom."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clusterlab import workstation
from clusterlab.errors import ClusterlabError
from clusterlab.files import write_atomically
from clusterlab.model.inventory import Inventory

SCHEMA_VERSION = 1
"""Version of the record's form; raised when an older clusterlab could not read it rightly."""


class UnreadableRecord(ClusterlabError):
    """The record exists and cannot be understood.

    Nothing may be concluded about the lab.
    """


class NewerRecord(UnreadableRecord):
    """The record is of a newer version.

    It says whose the lab is, in a form that is not known here.
    """


class Record(BaseModel):
    """What `up` made, written before it is made, so that `down` finds all of it."""

    model_config = ConfigDict(frozen=True)

    form: int = SCHEMA_VERSION
    kind: str
    """The name of its kind of machines."""
    inventory: Inventory
    """The inventory as it was at `up`: the lab can be recalled when the file is gone."""
    folder: Path
    """Where relative paths of the inventory start."""
    file: Path | None = None
    """The inventory's file, where `up` or the first command on existing machines knew it."""
    ports: dict[str, int] = Field(default_factory=dict)
    """The loopback port of each host's SSH."""
    user: str = ""
    """Who made it; empty in records of older versions, as are the next two."""
    workstation: str = ""
    machine_id: str = ""
    """What the workstation has and no other has: a state folder may be on a disk that several share."""

    @classmethod
    def of(cls, inventory: Inventory, folder: Path, ports: Mapping[str, int] | None = None) -> Self:
        """The record of a lab that this user makes here."""
        return cls(
            kind=inventory.kind.name,
            inventory=inventory,
            folder=folder.absolute(),
            ports=dict(ports or {}),
            user=workstation.user(),
            workstation=workstation.workstation(),
            machine_id=workstation.machine_id(),
        )

    @property
    def is_mine(self) -> bool:
        """Whether this user made it on this workstation, as far as the record says."""
        here, me = workstation.machine_id(), workstation.user()
        return (self.machine_id or here) == here and (self.user or me) == me

    @property
    def owner(self) -> str:
        """User and workstation, for people."""
        return f"{self.user}@{self.workstation}"


def read_record(path: Path, lab: str) -> Record | None:
    """The record in a file, or None when there is none.

    Raises UnreadableRecord when it cannot be understood.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    try:
        data = json.loads(text)
        if isinstance(data, dict) and data.get("form", 0) > SCHEMA_VERSION:
            raise NewerRecord(
                f"lab {lab} was created by a newer clusterlab ({path})", remedy="Use that version to bring it down."
            )
        return Record.model_validate(data)
    except (ValueError, ValidationError) as error:
        raise UnreadableRecord(
            f"the record of lab {lab} cannot be read, perhaps because another version of clusterlab wrote it: {path}",
            remedy="Use that version, or bring the lab down with its inventory: clusterlab down -i INVENTORY",
            detail=str(error),
        ) from error


def write_record(path: Path, record: Record) -> None:
    """Write a record.

    Whoever reads at the same time gets the old one or the new one, whole.
    """
    write_atomically(path, record.model_dump_json(indent=2) + "\n")

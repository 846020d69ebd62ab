"""Which workstation created an object.

Only what this one created is removed unasked.

A lab that is shared is worked on from several workstations, so its objects are the lab's, whoever created them: see
`is_ours`. On hosts that several can reach, a lab of one name is one workstation's unless its inventory says otherwise.
What remains of a lab that nobody knows any longer is another matter: it may be a colleague's.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Mapping

from clusterlab.files import make_private
from clusterlab.machines.paths import state_home
from clusterlab.workstation import owner

from .base import LABEL_LAB

LABEL_OWNER = "org.clusterlab.owner"
LABEL_BY = "org.clusterlab.created-by"
"""The same for people, as in ada@laptop."""
OWNER_LABELS = (LABEL_OWNER, LABEL_BY)
_FILE = "owner"


def this_workstation() -> str:
    """The name under which this user of this computer creates objects.

    Random, and kept with the labs' state.

    Who loses the state loses the right to remove unasked, which is the safe side. Raises OSError.
    """
    file = state_home() / _FILE
    make_private(file.parent)
    with open(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+") as kept:
        fcntl.flock(kept, fcntl.LOCK_EX)  # of several first commands, all get the same name
        name = kept.read().strip()
        if not name:  # new, or of a command that ended before it wrote
            name = uuid.uuid4().hex[:16]
            kept.write(name)
            kept.flush()
            os.fsync(kept.fileno())
    return name


def with_owner(labels: Mapping[str, str], found: Mapping[str, str] | None = None) -> dict[str, str]:
    """Labels of an object that this workstation creates.

    One that is `found` keeps its owner.

    What another lab had is this workstation's once it is adopted: its owner's lab no longer has it.
    Commands that are shown leave these labels out: what a person types was not created by clusterlab.
    """
    if found and found.get(LABEL_OWNER) and found.get(LABEL_LAB) == labels.get(LABEL_LAB):
        return {**labels, **{name: found[name] for name in OWNER_LABELS if name in found}}
    return {**labels, LABEL_OWNER: this_workstation(), LABEL_BY: owner()}


def created_here(labels: Mapping[str, str] | None) -> bool:
    """Whether this workstation created an object."""
    return (labels or {}).get(LABEL_OWNER) == this_workstation()

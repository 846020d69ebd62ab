"""Which workstation created an object: only what this one created is removed unasked.

A lab may be worked on from several workstations, so its objects are the lab's, whoever created them: see `is_ours`.
What is left of a lab that nobody knows any longer is another matter: it may be a colleague's.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Mapping

from clusterlab.files import make_private
from clusterlab.machines.paths import state_home

LABEL_OWNER = "org.clusterlab.owner"
_FILE = "owner"


def this_workstation() -> str:
    """The name under which this user of this computer creates objects: random, and kept with the labs' state.

    Who loses the state loses the right to remove unasked, which is the safe side. Raises OSError.
    """
    file = state_home() / _FILE
    make_private(file.parent)
    with open(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)  # of several first commands, all get the same name
        name = owner.read().strip()
        if not name:  # new, or of a command that ended before it wrote
            name = uuid.uuid4().hex[:16]
            owner.write(name)
            owner.flush()
            os.fsync(owner.fileno())
    return name


def with_owner(labels: Mapping[str, str], found: Mapping[str, str] | None = None) -> dict[str, str]:
    """Labels of an object that this workstation creates; one that is `found` keeps its owner.

    Commands that are shown leave this label out: what a person types was not created by clusterlab.
    """
    return {**labels, LABEL_OWNER: (found or {}).get(LABEL_OWNER) or this_workstation()}


def created_here(labels: Mapping[str, str] | None) -> bool:
    """Whether this workstation created an object."""
    return (labels or {}).get(LABEL_OWNER) == this_workstation()

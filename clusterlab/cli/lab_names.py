"""Names of labs on the command line, where no inventory says them."""

from __future__ import annotations

import re

from clusterlab.errors import UsageError
from clusterlab.model.base import NAME_PATTERN


def check_lab_name(name: str) -> str:
    """The name, if a lab can have it; raises UsageError."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise UsageError(
            f"--lab: {name!r} is not the name of a lab",
            remedy="Lower-case letters, digits and dashes, at most 63. `clusterlab labs` lists the labs.",
        )
    return name

"""The full report of an engine on one object, as `docker inspect` shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import docker

_MISSING = "`clusterlab apply` creates it"


@dataclass(frozen=True)
class Report:
    """How one is read.

    `command` shows a person the same of what has no name, else `docker KIND inspect NAME` does.

    `kind` is the word that the check `inspect` has for it. `read` raises docker.errors.NotFound when there is none of
    that name; `missing` says what to do then.
    """

    kind: str
    read: Callable[[docker.APIClient, str], Any]
    command: str = ""
    missing: str = _MISSING

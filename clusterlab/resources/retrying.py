"""Retrying what an engine under load fails to do in time: joining one of the Swarm's networks."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import TypeVar

from clusterlab.errors import HostError

T = TypeVar("T")
ATTEMPTS = 5
_PAUSE = 2.0  # seconds between them
_LATE = re.compile(r"attaching to network failed|could not attach to network|network \S+ not found", re.IGNORECASE)
_FINAL = re.compile(r"PermissionDenied|not manually attachable", re.IGNORECASE)
_moment = threading.Event()  # never set: waits


def is_late(text: str) -> bool:
    """Whether an engine reports that it missed the Swarm's answer to its own request.

    It begins what it was refused for good with the same words, and then has the Swarm's own.
    """
    return _LATE.search(text) is not None and not _FINAL.search(text)


def retry_late(attempt: Callable[[], T]) -> tuple[T, str]:
    """Try again when an engine misses the Swarm's answer to its own request.

    Returns what the attempt that succeeded returned, and a note about those before it, which is empty when there were
    none. Raises what the last one raised when all of them are late.
    """
    note = ""
    for number in range(2, ATTEMPTS + 1):
        try:
            return attempt(), note
        except HostError as error:
            if not is_late(error.message + error.detail):
                raise
            note = f"succeeded at attempt {number}; the one before: {error.message}"
            _moment.wait(_PAUSE)
    return attempt(), note


def notes(*found: str) -> str:
    """All notes in one text."""
    return "; ".join(filter(None, found))

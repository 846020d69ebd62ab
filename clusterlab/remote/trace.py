"""What is done on hosts, told to whoever watches: `clusterlab -v`.

Standard input, bodies of requests and answers are never part of it, and the rest is cleaned of secrets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from clusterlab.redaction import clean

_LONGEST = 200  # characters of a command


@dataclass(frozen=True)
class Step:
    """One thing that was done on a host."""

    host: str
    what: str
    """A command, a request to the engine, or a connection, on one line."""
    ended: str
    """How it ended: "exit 0", "200", the message of an error."""
    seconds: float


@dataclass
class Outcome:
    """How a step ended; set by whoever carries it out."""

    text: str = ""


_watchers: list[Callable[[Step], None]] = []


@contextmanager
def watching(watcher: Callable[[Step], None]) -> Iterator[None]:
    """Tell `watcher` each step that ends inside the block, from the thread that carried it out."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


@contextmanager
def step(host: str, what: str) -> Iterator[Outcome]:
    """Carry a step out in the block; what it raises is how it ended, unless that is said."""
    began = time.monotonic()
    outcome = Outcome()
    try:
        yield outcome
    except BaseException as error:
        outcome.text = outcome.text or f"{type(error).__name__}: {error}"
        raise
    finally:
        for watcher in list(_watchers):
            watcher(Step(host, _one_line(what), _one_line(outcome.text), time.monotonic() - began))


def _one_line(text: str) -> str:
    """The first line of a text without secrets, and how much more of it there is."""
    first, *more = clean(text).strip().splitlines() or [""]
    shown = first if len(first) <= _LONGEST else f"{first[:_LONGEST]} ..."
    return f"{shown} (and {len(more)} more lines)" if more else shown

"""What a verb declares about its lock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Exclusive:
    """The verb must be alone on its lab.

    It changes the lab, or needs the lab to stay as it is.
    """

    verb: str


@dataclass(frozen=True)
class Unlocked:
    """The verb needs no lock, for the reason given."""

    reason: str


Lock = Exclusive | Unlocked

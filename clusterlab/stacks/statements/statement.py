"""A statement that follows from a stack, without anybody having written it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clusterlab.model.checks import Check, check_model

WITHIN = 30.0
"""Seconds for which a statement is tried again: tasks start, and names of tasks on other nodes come by gossip."""


@dataclass(frozen=True)
class Statement:
    """A check of a stack.

    It is turned off by its `key`, for all services or one, as in "reached:web".
    """

    key: str
    service: str  # by its key in the stack
    check: Check

    def matches(self, keys: set[str]) -> bool:
        """Whether one of the keys means this statement."""
        return bool(keys & {self.key, f"{self.key}:{self.service}"})


def statement(
    key: str, service: str, title: str, kind: str, probe: dict[str, Any], needs: tuple[str, ...] = (), hint: str = ""
) -> Statement:
    """A statement of one probe."""
    text = {"title": title, kind: probe, "within": WITHIN, "needs": list(needs), "hint": hint}
    return Statement(key, service, check_model().model_validate(text).as_derived())

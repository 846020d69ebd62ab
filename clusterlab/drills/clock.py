"""Times of a host's uptime as times of this workstation.

A host's wall clock may be wrong, or be moved by a fault; its uptime only goes on.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Anchor:
    """A host's uptime and this workstation's `time.monotonic` at the same moment.

    Give or take `error` seconds.
    """

    uptime: float
    local: float
    error: float


@dataclass(frozen=True)
class Clock:
    """The uptime of one host, anchored when measuring began and when it ended."""

    first: Anchor
    last: Anchor

    def local(self, uptime: float) -> float:
        """The workstation's time at an uptime.

        Between the anchors, a clock that drifts is corrected.
        """
        span = self.last.uptime - self.first.uptime
        pace = (self.last.local - self.first.local) / span if span > 1.0 else 1.0
        return self.first.local + (uptime - self.first.uptime) * pace

    @property
    def error(self) -> float:
        """Seconds by which `local` may be off."""
        return max(self.first.error, self.last.error)


def anchor(uptime: float, asked: float, answered: float) -> Anchor:
    """The anchor of an uptime that a host read between two moments of this computer."""
    return Anchor(uptime, (asked + answered) / 2, (answered - asked) / 2)

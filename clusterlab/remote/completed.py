"""What a command left that ran to its end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Completed:
    """A command that ran to its end on a host or in a container.

    Whatever its exit code.
    """

    place: str  # "host1", or "apphost1 on host1"
    command: str  # as a person would type it
    exit: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def ok(self) -> bool:
        return self.exit == 0

    @property
    def output(self) -> str:
        """Both streams, for people."""
        return "\n".join(part for part in (self.stdout.rstrip(), self.stderr.rstrip()) if part)

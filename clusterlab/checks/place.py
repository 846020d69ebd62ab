"""Where a probe runs, and what may go wrong there."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from clusterlab.errors import ClusterlabError

CANNOT_START = (126, 127)
"""Exit codes of a shell, of env(1) and of `docker exec` for a command that cannot be executed, or is not there."""


@dataclass(frozen=True)
class Place:
    """A host, or a container on it."""

    host: str
    container: str = ""

    def __str__(self) -> str:
        return f"{self.container} on {self.host}" if self.container else self.host

    def typed(self, argv: Sequence[str]) -> str:
        """The command as a person would type it on the host."""
        if self.container:
            return shlex.join(["docker", "exec", self.container, *argv])
        return shlex.join(argv)


class ProbeError(ClusterlabError):
    """A probe got no answer that counts.

    `command` is what was run, as a person would type it.
    """

    def __init__(self, message: str, *, command: str = "", detail: str = "", remedy: str = "") -> None:
        super().__init__(message, detail=detail, remedy=remedy)
        self.command = command


class NoAnswer(ProbeError):
    """The place could not be asked."""


class NotUnderstood(ProbeError):
    """A tool answered something that proves neither the one nor the other."""


class MissingTool(ProbeError):
    """A probe needs a tool that is not at its place, so nothing could be asked."""


class WrongAnswer(ProbeError):
    """The lab answered, and not as the play wants it.

    A container is missing, a write is refused. The check fails.
    """

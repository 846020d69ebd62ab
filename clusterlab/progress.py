"""Telling a person what is going on, without knowing how it is shown.

Everything that takes longer than a moment runs inside `progress.task(...)`. The command line shows tasks live on a
terminal and as plain lines elsewhere (`clusterlab.reports.terminal`); tests pass `Silent()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Task(Protocol):
    """One thing under way."""

    def update(self, text: str) -> None:
        """Say what it is doing now, or how far it is."""

    def bad(self, text: str) -> None:
        """Mark it as complete, but with a bad result, such as a check that fails."""


class Progress(Protocol):
    """Where work reports that it begins, goes on and ends.

    Safe to call from several threads.
    """

    def task(self, subject: str, doing: str) -> AbstractContextManager[Task]:
        """Show "subject: doing" until the block ends, then its result and seconds."""

    def say(self, subject: str, text: str) -> None:
        """Show one line that stays."""


class _SilentTask:
    def update(self, text: str) -> None:
        pass

    def bad(self, text: str) -> None:
        pass


class Silent:
    """A progress that shows nothing."""

    @contextmanager
    def task(self, subject: str, doing: str) -> Iterator[Task]:
        yield _SilentTask()

    def say(self, subject: str, text: str) -> None:
        pass

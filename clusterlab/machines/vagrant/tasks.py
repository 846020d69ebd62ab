"""Vagrant's progress as ours.

A task for each machine, whose end is Vagrant's end with that machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType

from clusterlab.progress import Progress, Task

from .events import Event, step


class Tasks:
    """The tasks of one command of Vagrant; call it with every event."""

    def __init__(self, progress: Progress, hosts: Mapping[str, str], doing: str) -> None:
        """`hosts` are the hosts by what Vagrant calls their machines."""
        self._progress = progress
        self._hosts = hosts
        self._doing = doing
        self._open: dict[str, tuple[AbstractContextManager[Task], Task]] = {}

    def begin(self) -> None:
        for machine, host in self._hosts.items():
            context = self._progress.task(host, self._doing)
            self._open[machine] = (context, context.__enter__())

    def __call__(self, event: Event) -> None:
        if event.machine not in self._open:
            return
        context, task = self._open[event.machine]
        if event.kind == "action" and event.data[:2] == ("up", "end"):
            del self._open[event.machine]
            context.__exit__(None, None, None)
        elif text := step(event):
            task.update(text)

    def end(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """End what is still open: well, or with the error that ended the command."""
        for context, _ in self._open.values():
            try:
                context.__exit__(kind, error, trace)
            except BaseException as raised:
                if raised is not error:
                    raise
        self._open.clear()


@contextmanager
def following(progress: Progress, hosts: Mapping[str, str], doing: str) -> Iterator[Tasks]:
    """Show a task for each machine as long as the block runs.

    Or until Vagrant has finished with it.
    """
    tasks = Tasks(progress, hosts, doing)
    tasks.begin()
    try:
        yield tasks
    except BaseException as error:
        tasks.end(type(error), error, error.__traceback__)
        raise
    tasks.end()

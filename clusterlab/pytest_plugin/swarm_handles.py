"""Services and stacks in tests.

Asked freely, changed only through actions, which are undone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clusterlab.errors import UsageError
from clusterlab.remote import Completed
from clusterlab.resources.swarm_tasks import running_tasks
from clusterlab.results import Outcome

from .bench import Bench
from .handles import Changes
from .statements import settle


class ServiceInTest:
    """A Swarm service that a play or its stack describes. Every change lasts until the test ends."""

    def __init__(self, bench: Bench, changes: Changes, play: str, name: str) -> None:
        self.name = name
        self._bench = bench
        self._changes = changes
        self._play = play

    def inspect(self) -> dict[str, Any]:
        """What a manager reports of it."""
        places = self._bench.places_of(self._play)
        with places.engine(places.manager) as engine:
            report: dict[str, Any] = engine.inspect_service(self.name)  # type: ignore[no-untyped-call]
        return report

    def tasks(self) -> list[Mapping[str, Any]]:
        """What a manager reports of its running tasks, by host (`Node`) and number (`Slot`)."""
        bench = self._bench
        _, tasks = bench.places_of(self._play).ask_manager(
            lambda manager: running_tasks(bench.hosts[manager], self.name, bench.lab.inventory)
        )
        return list(tasks)

    def run(self, command: str | Sequence[str], *, user: str = "", timeout: float = 60.0) -> Completed:
        """Run a command in the first of its running tasks; a string goes to `sh -c`.

        Raises AssertionError when no task runs.
        """
        tasks = self.tasks()
        assert tasks, f"no task of service {self.name} runs"
        argv = ["sh", "-c", command] if isinstance(command, str) else list(command)
        container = tasks[0]["Status"]["ContainerStatus"]["ContainerID"]
        return self._bench.hosts[tasks[0]["Node"]].exec(container, argv, user=user, timeout=timeout)

    def scale(self, replicas: int) -> None:
        """Give it another number of tasks."""
        self._changes.act(self._play, scale={"service": self.name, "replicas": replicas})

    def kill_task(self) -> None:
        """End the processes of its running task with the lowest number."""
        self._changes.act(self._play, kill={"service": self.name})


Services = Callable[[str], ServiceInTest]


def service_in_test(bench: Bench, changes: Changes, name: str) -> ServiceInTest:
    """A service of a play. Raises UsageError when there is none of that name."""
    play = next((play for play, content in bench.lab.plays.items() if name in content.services), "")
    if not play:
        known = ", ".join(bench.play.services) or "none"
        raise UsageError(f"no play has a service {name!r}", remedy=f"Services of the plays: {known}.")
    return ServiceInTest(bench, changes, play, name)


class StackInTest:
    """A stack of a play, by the play's name or its own."""

    def __init__(self, bench: Bench, changes: Changes, name: str) -> None:
        stacks = {play: loaded.valid() for play, loaded in bench.lab.stacks.items()}
        play = next((play for play, stack in stacks.items() if name in (play, stack.name)), "")
        if not play:
            known = ", ".join(stacks) or "none"
            raise UsageError(f"no play has a stack {name!r}", remedy=f"Plays with a stack: {known}.")
        self.play = play
        self.name = stacks[play].name
        self._stack = stacks[play]
        self._bench = bench
        self._changes = changes

    @property
    def services(self) -> list[str]:
        """Its services, as its file names them."""
        return list(self._stack.services)

    def service(self, key: str) -> ServiceInTest:
        """A service, as the file names it."""
        if key not in self._stack.services:
            known = ", ".join(self.services)
            raise UsageError(f"the stack {self.name} has no service {key!r}", remedy=f"Its services: {known}.")
        return ServiceInTest(self._bench, self._changes, self.play, self._stack.scoped(key))

    def check(self) -> None:
        """Prove everything that follows from its file. Raises NotProven for the first statement that fails."""
        play = self._bench.lab.plays[self.play]
        for statement in play.checks:
            result = self._bench.prove(self.play, play, statement)
            if result.outcome is not Outcome.UNSUPPORTED or (self._bench.strict and result.fails_strict):
                settle(result, self._bench.strict)


Stacks = Callable[[str], StackInTest]

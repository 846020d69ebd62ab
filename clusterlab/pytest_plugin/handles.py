"""Containers and services in tests.

Asked freely, changed only through actions, which are undone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from clusterlab.checks.actions import Actions
from clusterlab.checks.finding import Finding
from clusterlab.checks.places import Places
from clusterlab.errors import UsageError
from clusterlab.model.actions import Action
from clusterlab.remote import Completed, Host

from .bench import Bench


class Changes:
    """What one test changes.

    The actions of each play, and restoring what they changed.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._by_play: dict[str, Actions] = {}

    def act(self, family: Literal["containers", "services"], name: str, **action: Any) -> None:
        """Carry out an action on what a play has.

        Raises AssertionError when it has not the effect it should have.
        """
        plays = [play for play, content in self._bench.lab.plays.items() if name in getattr(content, family)]
        play = plays[0]
        if play not in self._by_play:
            self._by_play[play] = Actions(self._bench.places_of(play))
        done = self._by_play[play].act(Action.model_validate(action))
        assert done.evidence.holds, f"{done.evidence.wanted}; found: {done.evidence.found}\n{done.evidence.output}"

    def restore(self) -> list[Finding]:
        """Restore all of it, the last first; a finding for each with which that failed."""
        return [finding for actions in reversed(self._by_play.values()) for finding in actions.restore()]


class ContainerInTest:
    """A container that a play describes. Every change lasts until the test ends."""

    def __init__(self, bench: Bench, changes: Changes, name: str) -> None:
        if name not in bench.play.containers:
            known = ", ".join(bench.play.containers) or "none"
            raise UsageError(f"no play has a container {name!r}", remedy=f"Containers of the plays: {known}.")
        self.name = name
        self._bench = bench
        self._changes = changes

    @property
    def host(self) -> Host:
        """The host that it runs on."""
        return self._bench.hosts[self._bench.play.containers[self.name].host]

    def run(self, command: str | Sequence[str], *, user: str = "", timeout: float = 60.0) -> Completed:
        """Run a command in it; a string goes to `sh -c`."""
        argv = ["sh", "-c", command] if isinstance(command, str) else list(command)
        return self.host.exec(self.name, argv, user=user, timeout=timeout)

    def inspect(self) -> dict[str, Any]:
        """What its engine reports of it."""
        report: dict[str, Any] = self.host.docker.inspect_container(self.name)
        return report

    def logs(self, lines: int = 100) -> str:
        """The end of what it printed."""
        text: bytes = self.host.docker.logs(self.name, tail=lines)
        return text.decode(errors="replace")

    def stop(self) -> None:
        self._changes.act("containers", self.name, stop=self.name)

    def start(self) -> None:
        self._changes.act("containers", self.name, start=self.name)

    def restart(self) -> None:
        self._changes.act("containers", self.name, restart=self.name)

    def kill(self) -> None:
        """End its processes at once, as with kill -9."""
        self._changes.act("containers", self.name, kill=self.name)

    def recreate(self) -> None:
        """Remove it with its anonymous volumes, and create it as its play describes it."""
        self._changes.act("containers", self.name, recreate=self.name)

    def connect(self, network: str) -> None:
        self._changes.act("containers", self.name, connect={"container": self.name, "network": network})

    def disconnect(self, network: str) -> None:
        self._changes.act("containers", self.name, disconnect={"container": self.name, "network": network})


Containers = Callable[[str], ContainerInTest]


class ServiceInTest:
    """A Swarm service that a play describes. Every change lasts until the test ends."""

    def __init__(self, bench: Bench, changes: Changes, name: str) -> None:
        if name not in bench.play.services:
            known = ", ".join(bench.play.services) or "none"
            raise UsageError(f"no play has a service {name!r}", remedy=f"Services of the plays: {known}.")
        self.name = name
        self._bench = bench
        self._changes = changes

    def inspect(self) -> dict[str, Any]:
        """What a manager reports of it."""
        places = Places(self._bench.lab, self._bench.play, self._bench.hosts)
        with places.engine(places.manager) as engine:
            report: dict[str, Any] = engine.inspect_service(self.name)  # type: ignore[no-untyped-call]
        return report

    def scale(self, replicas: int) -> None:
        """Give it another number of tasks."""
        self._changes.act("services", self.name, scale={"service": self.name, "replicas": replicas})

    def kill_task(self) -> None:
        """End the processes of its running task with the lowest number."""
        self._changes.act("services", self.name, kill={"service": self.name})


Services = Callable[[str], ServiceInTest]

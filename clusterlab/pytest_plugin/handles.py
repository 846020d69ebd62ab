"""What a test changes, and containers in it.

Asked freely, changed only through actions, which are undone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from clusterlab.checks.actions import Actions
from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.faults.injection import Injection, inject
from clusterlab.faults.scene import Scene
from clusterlab.model.actions import Action
from clusterlab.model.faults import FaultSpec
from clusterlab.remote import Completed, Host

from .bench import Bench


class Changes:
    """What one test changes: actions on what plays have, and faults. All of it is undone at its end."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._by_play: dict[str, Actions] = {}
        self._faults: list[Injection] = []
        self.containers: set[str] = set()
        """Those that the test has named: a failure is explained with their logs."""

    def act(self, play: str, **action: Any) -> None:
        """Carry out an action on what a play has.

        Raises AssertionError when it has not the effect it should have.
        """
        if play not in self._by_play:
            self._by_play[play] = Actions(self._bench.places_of(play))
        done = self._by_play[play].act(Action.model_validate(action))
        assert done.evidence.holds, f"{done.evidence.wanted}; found: {done.evidence.found}\n{done.evidence.output}"

    def inject(self, spec: FaultSpec) -> Injection:
        """Inject a fault, which is in effect when this returns. Raises ClusterlabError."""
        injection = inject(spec, Scene(self._bench.lab, self._bench.hosts))
        self._faults.append(injection)
        return injection

    def restore(self) -> list[str]:
        """Heal and restore all of it, the last first; a sentence for each with which that failed."""
        failed = []
        for injection in reversed(self._faults):
            try:
                injection.heal()
            except ClusterlabError as error:
                failed.append(f"{injection} is healed: {error.message}")
        findings = [finding for actions in reversed(self._by_play.values()) for finding in actions.restore()]
        return failed + [f"{one.evidence.wanted}: {one.evidence.found}" for one in findings]


class ContainerInTest:
    """A container that a play describes. Every change lasts until the test ends."""

    def __init__(self, bench: Bench, changes: Changes, name: str) -> None:
        if name not in bench.play.containers:
            known = ", ".join(bench.play.containers) or "none"
            raise UsageError(f"no play has a container {name!r}", remedy=f"Containers of the plays: {known}.")
        self.name = name
        self._bench = bench
        self._changes = changes
        self._play = next(play for play, content in bench.lab.plays.items() if name in content.containers)
        changes.containers.add(name)

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
        self._changes.act(self._play, stop=self.name)

    def start(self) -> None:
        self._changes.act(self._play, start=self.name)

    def restart(self) -> None:
        self._changes.act(self._play, restart=self.name)

    def kill(self) -> None:
        """End its processes at once, as with kill -9."""
        self._changes.act(self._play, kill=self.name)

    def recreate(self) -> None:
        """Remove it with its anonymous volumes, and create it as its play describes it."""
        self._changes.act(self._play, recreate=self.name)

    def connect(self, network: str) -> None:
        self._changes.act(self._play, connect={"container": self.name, "network": network})

    def disconnect(self, network: str) -> None:
        self._changes.act(self._play, disconnect={"container": self.name, "network": network})


Containers = Callable[[str], ContainerInTest]

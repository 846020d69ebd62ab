"""The lab of one test run.

Opened when the first test needs it, and shared by all tests of the process.
"""

from __future__ import annotations

import fcntl
import warnings
from collections.abc import Iterator, Set
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from clusterlab.checks.logs import collect
from clusterlab.checks.places import Places
from clusterlab.checks.runner import run_checks
from clusterlab.cli.locations import inventory_path
from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.machines.paths import state_home
from clusterlab.machines.state import LabState
from clusterlab.model import Lab, load_inventory, load_lab, play_names
from clusterlab.model.checks import Check
from clusterlab.model.playbook import Play
from clusterlab.pipeline.lock import Exclusive, Lock, Unlocked
from clusterlab.pipeline.pipeline import Pipeline
from clusterlab.pipeline.session import Session, open_session
from clusterlab.progress import Silent
from clusterlab.redaction import clean
from clusterlab.remote import Hosts
from clusterlab.results import Outcome, Result
from clusterlab.waiting import wait_until

_TURN_SECONDS = 1800.0
"""How long a test waits for those of other processes that must not run beside it."""
OWN_PLAY = "tests"
"""The name of the play that tests ask in: it has the containers and services of all."""


def lab_in_files(inventory: str, playbooks: str) -> Lab:
    """An inventory with all plays of a folder, which may be missing. Raises InvalidFiles, UsageError."""
    path, folder = inventory_path(inventory), Path(playbooks)
    return load_lab(path, play_names(folder), folder) if folder.is_dir() else load_inventory(path)


class Bench:
    """An inventory, its plays, and connections to its hosts."""

    def __init__(
        self,
        lab: Lab,
        playbooks: str = "",
        *,
        converge: bool = False,
        strict: bool = False,
        worker: bool = False,
        temporary: bool = False,
    ) -> None:
        """With `temporary`, the lab does not exist yet, and is removed by `close`."""
        self.lab = lab
        self._playbooks = Path(playbooks).absolute()
        self.strict = strict or lab.inventory.kind.foreign
        self._converge = converge
        self._worker = worker
        self._temporary = temporary
        self._needed: dict[str, None] = {}  # as a set in the order of asking
        self._closing = ExitStack()

    def play_of(self, file: Path) -> str:
        """The name of the play in a file; empty when it is not one of the playbooks."""
        if not file.is_relative_to(self._playbooks):
            return ""
        name = file.relative_to(self._playbooks).with_suffix("").as_posix()
        return name if name in self.lab.plays else ""

    def need(self, play: str) -> None:
        """Note that a test needs a play on the hosts.

        Raises UsageError when there is none of this name.
        """
        if play not in self.lab.plays:
            raise UsageError(f"unknown play {play!r}", remedy=f"Plays are below {self._playbooks}.")
        self._needed[play] = None

    def hold(self) -> None:
        """Keep other commands off the lab until `close`.

        For the other processes that this one starts, too. Raises ClusterlabError.
        """
        with ExitStack() as opening:
            session = opening.enter_context(open_session(self.lab, Silent(), Exclusive("pytest")))
            if session.machines.kind.foreign:
                session.hosts  # noqa: B018  # connecting locks them, and asks whose the lab is
            self._closing.enter_context(opening.pop_all())

    def close(self) -> None:
        """Close the connections, and give the lab free."""
        self._closing.close()

    @cached_property
    def session(self) -> Session:
        """The lab, open; converged first where that is wanted. Raises ClusterlabError."""
        lock: Lock = Unlocked("the process that started this one has it") if self._worker else Exclusive("pytest")
        with ExitStack() as opening:  # a test that is refused the lab does not keep the next one off
            if self._worker:  # faults take it again
                opening.enter_context(LabState(self.lab.name).inherited_lock())
            session = opening.enter_context(open_session(self.lab, Silent(), lock))
            if self._temporary:
                _refuse_existing(session)
                opening.callback(session.machines.down, Silent())
            if self._converge:
                with self._file_lock("converging", fcntl.LOCK_EX):  # by the first process; others find nothing to do
                    self._bring_up(session)
            self._closing.enter_context(opening.pop_all())
        return session

    def _bring_up(self, session: Session) -> None:
        """Converge the plays that tests need, over the connections and locks that the tests will use."""
        session.lab = self.lab.only(*self._needed)
        pipeline = Pipeline(session)
        for stage in (pipeline.up, pipeline.provision, pipeline.apply):
            stage()
        session.lab = self.lab

    @property
    def hosts(self) -> Hosts:
        """The hosts of the lab, connected when first used."""
        return self.session.hosts

    @cached_property
    def play(self) -> Play:
        """All that the plays have, as one play without statements.

        Names are unique in a lab.
        """
        together: dict[str, Any] = {name: {} for name in ("volumes", "networks", "containers", "services")}
        for play in self.lab.plays.values():
            for name, things in together.items():
                things |= getattr(play, name)
        return Play.model_construct(None, title="what tests ask", **together)

    def places_of(self, play: str) -> Places:
        """The places of one play; knows how its containers and services are created."""
        return Places(self.lab, self.lab.plays[play], self.hosts)

    def open(self) -> None:
        """Open the lab now, not when a test first needs it. Raises ClusterlabError."""
        assert self.session

    @property
    def is_open(self) -> bool:
        """Whether a test has used the lab."""
        return "session" in self.__dict__

    def logs(self, containers: Set[str]) -> dict[str, str]:
        """The ends of all hosts' journals and of these containers' logs, at this moment, without secrets."""
        places = Places(self.lab, self.play, self.hosts)
        return {name: clean(text) for name, text in collect(places, set(self.hosts), containers).items()}

    def prove(self, play_name: str, play: Play, check: Check) -> Result:
        """Carry one check of a play out, as `clusterlab check` does.

        Managers that do not pass are a warning.
        """
        alone = replace(self.lab, plays={play_name: play.model_copy(update={"checks": [check]})})
        *managers, result = run_checks(alone, self.hosts, self.session.unsupported, lambda result: None, Silent())
        for manager in managers:
            if manager.outcome is not Outcome.PASS:
                found = "; ".join(evidence.found for evidence in manager.evidence)
                text = f"{manager.play}: {manager.check}: {manager.outcome.value}: {found}"
                warnings.warn(pytest.PytestWarning(text), stacklevel=2)
        return result

    @contextmanager
    def turn(self, alone: bool) -> Iterator[None]:
        """Keep tests of other processes from running beside one that changes something.

        `alone` keeps all away.
        """
        if not self._worker:
            yield
            return
        with self._file_lock("turn", fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
            yield

    @contextmanager
    def _file_lock(self, name: str, operation: int) -> Iterator[None]:
        folder = state_home() / "pytest"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / f"{self.lab.name}.{name}.lock").open("w") as file:

            def locked() -> bool:
                try:
                    fcntl.flock(file, operation | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                return True

            wait_until(locked, "tests of other processes that use the lab", _TURN_SECONDS)
            yield


def _refuse_existing(session: Session) -> None:
    """Raise UsageError for a lab that exists: somebody may use it, and it would be removed.

    Its machines may exist without a record: `vagrant up` makes them, too.
    """
    there = any(one.state != "absent" for one in session.machines.status())
    if there or LabState(session.lab.name).read() is not None:
        raise UsageError(
            f"lab {session.lab.name} exists already, and would be removed after the tests",
            remedy="Give the lab of the tests a name of its own (`lab:`), or remove it first with `clusterlab down`.",
        )


def as_text(error: ClusterlabError) -> str:
    """An error as pytest shows it."""
    return "\n".join(part for part in (error.message, error.detail, error.remedy and f"-> {error.remedy}") if part)

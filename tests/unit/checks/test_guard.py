"""When facts are read again, when a wait is cut short, and what a busy host means."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from clusterlab.checks import facts
from clusterlab.checks import guard as guards
from clusterlab.checks.dependencies import Dependencies
from clusterlab.checks.facts import Facts
from clusterlab.checks.guard import CheckGuard, Guard
from clusterlab.checks.preconditions import EngineAnswers, Precondition
from clusterlab.errors import DeadlineExceeded
from clusterlab.remote.channels import MAX_CHANNELS, Channels, ChannelsInUse, SessionRefused
from clusterlab.remote.completed import Completed
from clusterlab.remote.connection import Connections
from clusterlab.remote.target import Target

from .demo import ACTIVE, APP, DOWN, LAB


class Script:
    """Facts of one host that are given out one after the other; the last one stays."""

    def __init__(self, *facts: dict[str, Any]) -> None:
        self.facts = list(facts)
        self.asked = 0

    def observe(self, host: object, roles: object) -> Facts:
        self.asked += 1
        found = self.facts.pop(0) if len(self.facts) > 1 else self.facts[0]
        return Facts("host2", time.monotonic(), swarm=ACTIVE, **found)


def guarded(monkeypatch: pytest.MonkeyPatch, script: Script, asking: Sequence[Precondition]) -> CheckGuard:
    monkeypatch.setattr(guards, "observe", script.observe)
    monkeypatch.setattr(guards, "_GRACE", 0.05)
    monkeypatch.setattr(guards, "_FRESH", 0.0)
    return CheckGuard(Guard(LAB, _Anything()), Dependencies(tuple(asking), tuple(asking)), Event())  # type: ignore[arg-type]


class _Anything:
    def __getitem__(self, name: str) -> object:
        return name


ENGINE = EngineAnswers("host2")


@pytest.mark.parametrize("waits", [False, True])
def test_before_a_check_is_blocked_the_facts_are_read_again(monkeypatch: pytest.MonkeyPatch, waits: bool) -> None:
    passing = Script(DOWN, {})
    assert guarded(monkeypatch, passing, [ENGINE]).before(waits) is None
    lasting = Script(DOWN, DOWN)
    cause = guarded(monkeypatch, lasting, [ENGINE]).before(waits)
    assert cause is not None
    assert cause.code == "engine-down"
    assert (passing.asked, lasting.asked) == (2, 2)


SILENT = {**DOWN, "engine_silent": True, "took": 8.0}


def test_one_slow_reading_of_a_busy_engine_blocks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Script(SILENT, {})
    guard = guarded(monkeypatch, busy, [ENGINE])
    guard._guard.begin()
    assert guard._guard.silent("host2") == ""
    assert guard.before(False) is None
    busy = Script(SILENT, {})
    guard = guarded(monkeypatch, busy, [ENGINE])
    guard._guard.facts("host2", 0.0)
    assert guard.before(False) is None
    assert busy.asked == 2


def test_one_slow_reading_of_a_busy_host_blocks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Script({"unreachable": "no command completes there within 20 s", "took": 20.0}, {})
    guard = guarded(monkeypatch, busy, [ENGINE])
    guard._guard.facts("host2", 0.0)
    assert guard.before(False) is None
    assert busy.asked == 2


def test_a_silent_engine_is_confirmed_once_and_then_not_asked_by_every_check(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Script(SILENT)
    guard = guarded(monkeypatch, silent, [ENGINE])
    guard._guard.facts("host2", 0.0)
    causes = [guard.before(waits) for waits in (False, True, False)]
    assert [cause.code for cause in causes if cause] == ["engine-silent"] * 3
    assert causes[0] is not None
    assert "journalctl -u docker" in causes[0].remedy
    assert silent.asked == 2


@pytest.mark.parametrize("then", [{"complete": False, "asked": False}, {"complete": False}])
def test_only_an_answer_ends_that_a_host_is_unreachable(monkeypatch: pytest.MonkeyPatch, then: dict[str, Any]) -> None:
    """An earlier question that still hangs on a frozen host holds the channel that the next one needs."""
    guard = guarded(monkeypatch, Script({"unreachable": "frozen"}, then), [ENGINE])
    cause = guard.before(False)
    assert (cause.code if cause else "") == ("" if then.get("asked", True) else "host-unreachable")


def test_facts_that_are_well_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script({})
    guard = guarded(monkeypatch, script, [ENGINE])
    assert guard.before(False) is None
    assert guard.before(True) is None
    assert script.asked == 1


def test_a_container_that_is_starting_cuts_no_wait_short_and_is_the_cause_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guard = guarded(monkeypatch, Script({"containers": {"app": "Restarting (1) 1 second ago"}}), [APP])
    assert guard.before(True) is None
    for _ in range(3):
        assert guard.after(False) is None
        Event().wait(0.03)
    cause = guard.after(True)
    assert cause is not None
    assert cause.code == "container-stopped"


def test_a_wait_is_cut_short_when_the_cause_has_lasted(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = guarded(monkeypatch, Script({"containers": {"app": "Exited (1) 1 s ago"}}), [APP])
    assert guard.after(False) is None
    Event().wait(0.06)
    cause = guard.after(False)
    assert cause is not None
    assert cause.subject == "container app on host2"


class _Channel:
    closed = False

    def close(self) -> None:
        self.closed = True


def busy_channels(monkeypatch: pytest.MonkeyPatch) -> Channels:
    """The channels of a host whose connection works, all of which the checks hold."""
    channels = Channels(Target("host2", "192.168.98.12"), Connections(), Counter())
    monkeypatch.setattr(channels, "_open_channel", lambda opening: _Channel())
    for _ in range(MAX_CHANNELS):
        channels.take(0.0)
    return channels


def test_questions_about_a_busy_host_do_not_wait_for_its_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    channels = busy_channels(monkeypatch)
    for _ in range(3):
        with channels.channel(0.0, spare=True):
            with pytest.raises(ChannelsInUse, match="the spare channel"):
                channels.take(0.0, spare=True)
            with pytest.raises(ChannelsInUse, match=f"each of the {MAX_CHANNELS}"):
                channels.take(0.0)


class _Busy:
    """A host on which only the spare channel is free, or not even that."""

    name = "host2"

    def __init__(self, channels: Channels) -> None:
        self.channels = channels

    def run(self, command: str, *, timeout: float, spare: bool = False) -> Completed:
        with self.channels.channel(0.0, spare=spare):
            return Completed("host2", command, 0, "", "", seconds=0.0)


def test_a_host_without_a_free_channel_is_not_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    channels = busy_channels(monkeypatch)
    found = facts.observe(_Busy(channels), frozenset())  # type: ignore[arg-type]
    assert (found.unreachable, found.complete) == ("", True)
    channels.take(0.0, spare=True)
    found = facts.observe(_Busy(channels), frozenset())  # type: ignore[arg-type]
    assert (found.unreachable, found.complete, found.asked) == ("", False, False)
    monkeypatch.setattr(channels, "channel", _refuse)
    found = facts.observe(_Busy(channels), frozenset())  # type: ignore[arg-type]
    assert (found.unreachable, found.complete, found.asked) == ("", False, True)


class _Odd:
    """A host that answers some commands and then none, with an engine of given answers."""

    name = "host1"

    def __init__(self, answers: Any, commands: int, printed: str = "Welcome!\n0\n") -> None:
        self.printed = printed
        self.answers = answers
        self.commands = commands

    def run(self, command: str, *, timeout: float, spare: bool = False) -> Completed:
        if not self.commands:
            raise DeadlineExceeded("host1: it did not end")
        self.commands -= 1
        return Completed("host1", command, 0, self.printed, "", seconds=0.0)

    @contextmanager
    def questions(self) -> Iterator[Any]:
        yield SimpleNamespace(containers=self._containers, info=lambda: {})

    def _containers(self, all: bool) -> Any:
        if isinstance(self.answers, Exception):
            raise self.answers
        return self.answers


@pytest.mark.parametrize(
    ("answers", "commands", "down", "complete"),
    [
        ([], 1, "", True),
        ({"message": "no"}, 1, "", False),
        ([None], 1, "", False),
        (DeadlineExceeded("host1: no answer"), 2, "does not answer within", True),
        (DeadlineExceeded("host1: no answer"), 1, "", False),
    ],
    ids=["nothing", "an-object", "no-container", "silent", "the-host-is-silent-too"],
)
def test_only_what_an_engine_surely_said_counts(answers: Any, commands: int, down: str, complete: bool) -> None:
    found = facts.observe(_Odd(answers, commands), frozenset({"docker", "nfs_server"}))  # type: ignore[arg-type]
    assert down in found.engine_down
    assert bool(down) is bool(found.engine_down) is found.engine_silent
    assert (found.complete, found.nfs_listens) == (complete, False)


@pytest.mark.parametrize(
    ("printed", "listens"), [("2\n", True), ("Welcome!\n0\n", False), ("", None), ("grep: not found\n", None)]
)
def test_a_port_counts_as_seen_only_when_a_number_was_printed(printed: str, listens: bool | None) -> None:
    host = _Odd([], 1, printed)
    assert facts.observe(host, frozenset({"nfs_server"})).nfs_listens is listens  # type: ignore[arg-type]


def test_a_channel_whose_connection_has_just_ended_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    channels = busy_channels(monkeypatch)
    taken = channels.take(0.0, spare=True)
    monkeypatch.setattr(taken, "close", _ended)
    channels.give_back(taken, spare=True)
    channels.take(0.0, spare=True)


def _ended() -> None:
    raise EOFError


def _refuse(timeout: float, *, spare: bool) -> None:
    raise SessionRefused("host2", "its sshd refuses another session")

"""What a host's answer to the request for its lock means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import pytest

from clusterlab.errors import ClusterlabError, DeadlineExceeded, HostError
from clusterlab.pipeline.host_locks import HostLocks, NotLockable
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.remote.completed import Completed


class _Host:
    name = "host1"

    def __init__(self, answer: int | ClusterlabError) -> None:
        self._answer = answer

    def run(self, argv: list[str], **_: Any) -> Completed:
        if isinstance(self._answer, ClusterlabError):
            raise self._answer
        return Completed(self.name, argv[0], self._answer, "/run/lock cannot be locked\n", "", seconds=0.0)


class _Hosts:
    def __init__(self, host: _Host) -> None:
        self._host = host

    def __iter__(self) -> Any:
        return iter([self._host.name])

    def each(self, names: Iterable[str], ask: Callable[[Any], object]) -> dict[str, object]:
        try:
            return {name: ask(self._host) for name in names}
        except ClusterlabError as error:
            return dict.fromkeys(names, error)


class _Said(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, subject: str, text: str) -> None:
        self.said.append(f"{subject}: {text}")


def enter(answer: int | ClusterlabError) -> list[str]:
    progress = _Said()
    with HostLocks(cast(Hosts, _Hosts(_Host(answer))), "shop", "apply", progress):
        return progress.said


def test_a_host_whose_lock_somebody_holds_is_not_changed_unlocked() -> None:
    with pytest.raises(NotLockable, match="host1: it cannot be locked: /run/lock cannot be locked"):
        enter(12)


def test_a_slow_host_is_not_changed_unlocked() -> None:
    with pytest.raises(DeadlineExceeded):
        enter(DeadlineExceeded("host1: `sh` did not end in 20 s"))


def test_a_host_that_cannot_be_reached_is_only_reported() -> None:
    assert enter(HostError("host1", "connection refused")) == ["host1: not locked: connection refused"]

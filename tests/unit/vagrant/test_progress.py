"""Vagrant's output becomes a task for each machine, which ends when Vagrant has ended with that machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.machines.vagrant.events import parse_event
from clusterlab.machines.vagrant.tasks import following


class _Task:
    def __init__(self, told: list[str], subject: str) -> None:
        self._told, self._subject = told, subject

    def update(self, text: str) -> None:
        self._told.append(f"{self._subject}: {text}")

    def bad(self, text: str) -> None:
        raise AssertionError("nothing is bad here")


class Told:
    """A progress that writes down what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextmanager
    def task(self, subject: str, doing: str) -> Iterator[_Task]:
        self.lines.append(f"{subject} begins")
        try:
            yield _Task(self.lines, subject)
        except BaseException:
            self.lines.append(f"{subject} fails")
            raise
        self.lines.append(f"{subject} ends")

    def say(self, subject: str, text: str) -> None:
        self.lines.append(f"{subject}: {text}")


HOSTS = {"demo-gw": "gw", "demo-host1": "host1"}
LINES = [
    "1,demo-gw,metadata,provider,libvirt",
    "1,demo-gw,action,up,start",
    "1,demo-gw,ui,info,Starting domain.",
    "1,demo-host1,ui,info,Waiting for domain to get an IP address...",
    "1,demo-gw,action,up,end",
    "1,demo-gw,ui,info,this comes too late",
    "1,,ui,info,this is of no machine",
]
BEGUN = [
    "gw begins",
    "host1 begins",
    "gw: Starting domain.",
    "host1: Waiting for domain to get an IP address",
    "gw ends",
]


def follow(told: Told, error: BaseException | None = None) -> None:
    with following(told, HOSTS, "up") as tasks:
        for line in LINES:
            tasks(parse_event(line))
        if error:
            raise error


def test_each_ends_for_itself() -> None:
    told = Told()
    follow(told)
    assert told.lines == [*BEGUN, "host1 ends"]


@pytest.mark.parametrize("error", [ClusterlabError("broken"), KeyboardInterrupt()])
def test_an_error_ends_only_what_was_not_done(error: BaseException) -> None:
    told = Told()
    with pytest.raises(type(error)):
        follow(told, error)
    assert told.lines == [*BEGUN, "host1 fails"]

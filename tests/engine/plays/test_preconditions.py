"""One cause, reported once and within seconds: a worker whose engine is stopped, that is drained, or that is frozen."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import pytest

from clusterlab.machines.namespaces import processes
from clusterlab.machines.state import LabState
from clusterlab.results import Outcome, Result
from tests.support.check_cases import told
from tests.support.play_bench import Stand

pytestmark = pytest.mark.engine

PLAYS = ["networks/overlay", "networks/service", "volumes/local"]
READY = "docker node inspect -f '{{.Status.State}} {{.Spec.Availability}}' host2 | grep -q 'ready active'"


@contextmanager
def engine_stopped(stand: Stand) -> Iterator[None]:
    stand.hosts["host2"].run("systemctl stop docker", check=True)
    try:
        yield
    finally:
        stand.hosts["host2"].run("systemctl start docker", check=True, timeout=120)


@contextmanager
def engine_frozen(stand: Stand) -> Iterator[None]:
    stand.hosts["host2"].run("kill -STOP $(pidof dockerd)", check=True)
    try:
        yield
    finally:
        stand.hosts["host2"].run("kill -CONT $(pidof dockerd)", check=True)


@contextmanager
def drained(stand: Stand) -> Iterator[None]:
    stand.hosts["host1"].run("docker node update --availability drain host2", check=True)
    try:
        yield
    finally:
        stand.hosts["host1"].run("docker node update --availability active host2", check=True)


@contextmanager
def frozen(stand: Stand) -> Iterator[None]:
    """Every process of the worker is stopped, the SSH server too."""
    found = processes.find(LabState(stand.lab([]).name).folder, {"host2"})
    assert found
    _signal(found, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(found, signal.SIGCONT)


def _signal(found: list[int], number: signal.Signals) -> None:
    for process in found:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def broken(stand: Stand, how: Callable[[Stand], AbstractContextManager[None]]) -> tuple[list[Result], float]:
    """The results of the plays on a lab that is broken after everything was made, and the seconds that they took."""
    report = stand.apply(PLAYS)
    assert report.ok, (report.failed, report.blocked)
    try:
        with how(stand):
            began = time.monotonic()
            results = stand.check(PLAYS)
            return results, time.monotonic() - began
    finally:
        wait = f'timeout 120 sh -c "until {READY}; do sleep 0.5; done"'
        stand.hosts["host1"].run(wait, check=True, timeout=150)


def shown(results: list[Result], seconds: float) -> str:
    lines = [
        f"{result.outcome:12} {result.seconds:6.1f} s  {result.check}  {result.cause and result.cause.code}"
        for result in results
    ]
    return "\n".join([*lines, f"{seconds:.1f} s in all"])


@pytest.mark.parametrize("how", [engine_stopped, drained, engine_frozen, frozen])
def test_measure(stand: Stand, how: Callable[[Stand], AbstractContextManager[None]]) -> None:
    results, seconds = broken(stand, how)
    print()
    print(how.__name__)
    print(shown(results, seconds))
    print([told(result) for result in results if result.outcome not in (Outcome.PASS, Outcome.UNSUPPORTED)][:1])

"""One cause, reported once and within seconds: a worker whose engine is stopped, that is drained, or that is frozen."""

from __future__ import annotations

import io
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
from rich.console import Console

from clusterlab.machines.namespaces import processes
from clusterlab.machines.state import LabState
from clusterlab.reports.summary import Run
from clusterlab.reports.terminal import show_results
from clusterlab.reports.verdict import blocking
from clusterlab.results import Outcome
from tests.support.play_bench import Stand

pytestmark = pytest.mark.engine

PLAYS = ["networks/overlay", "networks/service", "volumes/local", "volumes/shared"]
ELSEWHERE = "volumes/shared"  # all of it is on the other host
SECONDS = 90.0  # on a machine that runs other tests, too
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
    marked = processes.find(LabState(stand.lab([]).name).folder, {"host2"})
    spaces = set(map(_process_space, marked)) - {_process_space(os.getpid()), ""}
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    found = [number for number in numbers if _process_space(number) in spaces]
    assert len(found) > len(marked)  # not all of them keep the environment that marks them
    _signal(found, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(found, signal.SIGCONT)


def _process_space(process: int) -> str:
    """The namespace of a process; "" when it has ended."""
    try:
        return os.readlink(f"/proc/{process}/ns/pid")
    except OSError:
        return ""


def _signal(found: list[int], number: signal.Signals) -> None:
    for process in found:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def checked(stand: Stand, how: Callable[[Stand], AbstractContextManager[None]]) -> tuple[Run, dict[str, int]]:
    """The plays on a lab that is broken after everything was made, and how many commands ran on each host for them."""
    report = stand.apply(PLAYS)
    assert report.ok, (report.failed, report.blocked)
    try:
        with how(stand):
            before = {name: stand.hosts[name].counts["commands"] for name in stand.hosts}
            began = time.monotonic()
            run = Run("demo", "check", results=stand.check(PLAYS))
            run.seconds = time.monotonic() - began
            return run, {name: stand.hosts[name].counts["commands"] - count for name, count in before.items()}
    finally:
        wait = f'timeout 120 sh -c "until {READY}; do sleep 0.5; done"'
        stand.hosts["host1"].run(wait, check=True, timeout=150)


def outcomes(run: Run) -> Counter[str]:
    return Counter(result.outcome.value for result in run.results)


def one_cause(run: Run, code: str, seconds: float) -> None:
    """Nothing but the cause is reported, once, and what does not depend on it is proven."""
    console = Console(file=io.StringIO(), width=150, no_color=True)
    show_results(console, run)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    print(f"{shown}\n{run.seconds:.1f} s")
    assert {(cause.code, cause.subject) for cause in blocking(run.results)} == {(code, "host2")}, shown
    assert not {Outcome.FAIL, Outcome.ERROR} & {result.outcome for result in run.results}, shown
    assert shown.count(f"host2 {code}: ") == 1
    assert {result.outcome for result in run.results if result.play == ELSEWHERE} == {Outcome.PASS}, shown
    assert run.exit_code == 1
    assert run.seconds < seconds, shown


@pytest.mark.parametrize("how", [engine_stopped, engine_frozen])
def test_an_engine_that_does_not_answer(stand: Stand, how: Callable[[Stand], AbstractContextManager[None]]) -> None:
    run, commands = checked(stand, how)
    one_cause(run, "engine-down" if how is engine_stopped else "engine-silent", SECONDS)
    found = outcomes(run)
    assert found["blocked"] >= 14, found
    assert commands["host2"] <= found["blocked"] + found["pass"], commands


def test_a_worker_that_is_drained(stand: Stand) -> None:
    run, _ = checked(stand, drained)
    one_cause(run, "node-drained", SECONDS)
    found = outcomes(run)
    assert found["blocked"] == 4, found
    assert found["pass"] == len(run.results) - 4 - found["unsupported"], found


def test_a_worker_that_is_frozen(stand: Stand) -> None:
    run, _ = checked(stand, frozen)
    one_cause(run, "host-unreachable", 2 * SECONDS)
    assert outcomes(run)["blocked"] >= 14, outcomes(run)

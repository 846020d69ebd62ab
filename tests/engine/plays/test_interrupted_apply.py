"""`apply` and `clean` that are interrupted or killed in the middle: the next one goes on from what is there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from clusterlab.plan.clean import left_over
from tests.support.check_cases import PLAYBOOKS
from tests.support.play_bench import Stand

pytestmark = pytest.mark.engine

PLAYS = ["volumes/local", "volumes/shared", "networks/bridge", "networks/overlay", "networks/service"]


def started(stand: Stand, verb: str, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from clusterlab.cli.main import main; main()", verb, *words]
    return subprocess.Popen(
        [*command, "-i", str(stand.inventory)],
        cwd=PLAYBOOKS.parent,
        env={**os.environ, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=120)
    return process.returncode, said


def wait_until(process: subprocess.Popen[str], holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert process.poll() is None, ended(process)
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_the_next_command_goes_on(stand: Stand, number: signal.Signals) -> None:
    lab, host = stand.lab(PLAYS), stand.hosts["host1"]
    with started(stand, "apply", *PLAYS) as process:
        wait_until(process, lambda: bool(host.docker.containers(all=True)))
        process.send_signal(number)
        code, said = ended(process)
    if number is signal.SIGINT:
        assert code == 3, said
        assert "interrupted" in said
        assert "clusterlab apply" in said  # what to do next
    report = stand.apply(PLAYS)
    assert report.done, [change.blocked for change in report.blocked]
    code, said = ended(started(stand, "apply", *PLAYS))
    assert code == 0, said
    assert stand.apply(PLAYS).done == []

    with started(stand, "clean", "--delete-data") as process:
        wait_until(process, lambda: len(host.docker.containers(all=True)) < len(lab.plays))
        process.send_signal(number)
        ended(process)
    code, said = ended(started(stand, "clean", "--delete-data"))
    assert code == 0, said
    assert left_over(lab.name, stand.hosts) == []
    assert stand.left() == ["", ""]

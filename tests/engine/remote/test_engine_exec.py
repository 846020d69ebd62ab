"""Commands in containers through the engine's API, with a real engine."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from clusterlab.errors import DeadlineExceeded, HostError
from clusterlab.remote import Host
from tests.support.engine_container import CONTAINER, host_with_container
from tests.support.labs import EngineLab

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def host(engine_lab: EngineLab) -> Iterator[Host]:
    with host_with_container(engine_lab) as host:
        yield host


def test_exec(host: Host) -> None:
    done = host.exec(CONTAINER, ["sh", "-c", "echo out; echo err >&2; exit 5"])
    assert (done.exit, done.stdout, done.stderr) == (5, "out\n", "err\n")
    assert done.place == f"{CONTAINER} on host1"
    assert done.command == "sh -c 'echo out; echo err >&2; exit 5'"


def test_exec_with_input(host: Host) -> None:
    text = "0123456789abcdef" * 200_000
    assert host.exec(CONTAINER, ["cat"], stdin=text).stdout == text
    assert host.exec(CONTAINER, ["sh", "-c", "exit 3"], stdin=text).exit == 3


def test_exec_as_another_user(host: Host) -> None:
    assert host.exec(CONTAINER, ["id", "-u"], user="1234").stdout == "1234\n"


def test_exec_that_cannot_start(host: Host) -> None:
    done = host.exec(CONTAINER, ["no-such-command"])
    assert done.exit in (126, 127)
    assert "no-such-command" in done.output


def test_exec_deadline_leaves_nothing(host: Host) -> None:
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded, match="did not end within 1 s"):
        host.exec(CONTAINER, ["sh", "-c", "sleep 7654 & sleep 7654"], timeout=1)
    assert time.monotonic() - began < 5
    assert host.run("pgrep -f '^sleep 7654'").exit == 1


def test_exec_where_there_is_no_container(host: Host) -> None:
    with pytest.raises(HostError, match="there is no container nowhere"):
        host.exec("nowhere", ["true"])


def test_exec_in_a_stopped_container(host: Host) -> None:
    host.docker.stop(CONTAINER, timeout=0)
    try:
        with pytest.raises(HostError, match=f"container {CONTAINER} does not run"):
            host.exec(CONTAINER, ["true"])
    finally:
        host.docker.start(CONTAINER)

"""A message of a channel that is sent late: after the channel's close, or when its number is another channel's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import paramiko
import pytest
from paramiko.common import cMSG_CHANNEL_DATA, cMSG_CHANNEL_EOF

from clusterlab.remote.transport import Transport
from tests.support.sshd import Sshd

pytestmark = pytest.mark.engine

SECONDS = 5.0


class Late(threading.Thread):
    """Does what sends a message, which is held between its making and its sending until `let_go`."""

    def __init__(self, action: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._action = action
        self._made = threading.Event()
        self._free = threading.Event()

    def run(self) -> None:
        self._action()

    def hold(self) -> None:
        self._made.set()
        assert self._free.wait(2 * SECONDS)

    def until_made(self) -> None:
        assert self._made.wait(SECONDS)

    def let_go(self) -> None:
        self._free.set()
        self.join(SECONDS)
        assert not self.is_alive()


class Holding:
    """Hands the data and the ends that a Late thread sends to its `hold` first."""

    def _send_user_message(self, data: paramiko.Message) -> None:
        thread = threading.current_thread()
        if isinstance(thread, Late) and data.asbytes()[:1] in (cMSG_CHANNEL_EOF, cMSG_CHANNEL_DATA):
            thread.hold()
        super()._send_user_message(data)  # type: ignore[misc]


class OfParamiko(Holding, paramiko.Transport):
    pass


class Own(Holding, Transport):
    pass


@contextmanager
def connected(sshd: Sshd, kind: type[paramiko.Transport]) -> Iterator[paramiko.Transport]:
    transport = kind(("127.0.0.1", sshd.port))
    try:
        transport.start_client(timeout=SECONDS)
        transport.auth_publickey("root", paramiko.Ed25519Key.from_private_key_file(str(sshd.user_key)))
        yield transport
    finally:
        transport.close()


def closed_by_the_server(transport: paramiko.Transport, action: Callable[[paramiko.Channel], object]) -> Late:
    """A channel whose command has ended, and what was about to be sent on it."""
    channel = transport.open_session()
    channel.exec_command("sleep 0.3")
    late = Late(lambda: action(channel))
    late.start()
    late.until_made()
    until(lambda: channel.closed)
    transport.global_request("anything@example.org", wait=True)  # its answer comes after our close has come there
    return late


def echoed_by_the_next(transport: paramiko.Transport, late: Late, when: str) -> bytes:
    """What the next channel gives back of its input, when the late message comes before or after its command."""
    channel = transport.open_session()
    channel.settimeout(SECONDS)
    if when == "before":
        late.let_go()
    channel.exec_command("cat")
    if when == "after":
        late.let_go()
    channel.sendall(b"own")
    channel.shutdown_write()
    return b"".join(iter(lambda: channel.recv(100), b""))


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def end(channel: paramiko.Channel) -> None:
    channel.shutdown_write()


def data(channel: paramiko.Channel) -> None:
    channel.sendall(b"another's")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("action", [end, data])
def test_a_late_message_neither_ends_the_connection_nor_reaches_the_next_channel(
    sshd: Sshd, action: Callable[[paramiko.Channel], object], when: str
) -> None:
    with connected(sshd, Own) as transport:
        closed_by_the_server(transport, action).let_go()
        assert echoed_by_the_next(transport, closed_by_the_server(transport, action), when) == b"own"
        assert transport.is_active()


@pytest.mark.parametrize("action", [end, data])
def test_paramiko_alone_loses_the_connection(sshd: Sshd, action: Callable[[paramiko.Channel], object]) -> None:
    """When this fails, Paramiko has been fixed, and there is no need for a transport of our own."""
    with connected(sshd, OfParamiko) as transport:
        closed_by_the_server(transport, action).let_go()
        until(lambda: not transport.is_active())


def test_paramiko_alone_leaves_the_next_channel_without_an_answer(sshd: Sshd) -> None:
    with connected(sshd, OfParamiko) as transport, pytest.raises(TimeoutError):
        echoed_by_the_next(transport, closed_by_the_server(transport, end), "before")


def test_paramiko_alone_gives_the_next_channel_what_is_another_s(sshd: Sshd) -> None:
    with connected(sshd, OfParamiko) as transport:
        late = closed_by_the_server(transport, data)
        assert echoed_by_the_next(transport, late, "after") == b"another'sown"

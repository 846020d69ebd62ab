"""A channel to a host's engine, looking like a socket."""

from __future__ import annotations

import threading
import time
from typing import Any, cast

import paramiko

from clusterlab.errors import DeadlineExceeded, HostError

from .channels import Channels
from .docker_errors import explain_end
from .docker_ways import Ways

TIMEOUT = 120.0
"""Seconds of silence after which a request has failed."""


class Stream:
    """One channel to the engine: what http.client and the SDK take for a socket.

    Its reads and writes raise this project's errors: these pass unchanged through urllib3, requests and the SDK, also
    from the middle of a stream.
    """

    def __init__(self, channels: Channels, ways: Ways, timeout: float = TIMEOUT, *, spare: bool = False) -> None:
        self.asked = ""
        self._channels = channels
        self._lock = threading.Lock()
        self._timeout = timeout
        self._heard = False
        self._served = False
        self._ways = ways
        self._way = ways.open(timeout, spare=spare)
        self._channel = self._way.channel
        self._open = True

    def expect_answer(self, asked: str) -> None:
        """From now on an end of the stream is an error, until something has come.

        `asked` is for its message.
        """
        self.asked = asked
        self._served = self._heard
        self._heard = False

    @property
    def is_idle(self) -> bool:
        """Open, and nothing has come unasked: it can be used for another request."""
        channel = self._channel
        return self._open and not (channel.closed or channel.eof_received or channel.recv_ready())

    def sendall(self, data: bytes) -> None:
        try:
            self._channel.sendall(data)
        except TimeoutError:
            raise self._late() from None
        except (OSError, EOFError, paramiko.SSHException):
            raise self.ended() from None

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def recv(self, size: int) -> bytes:
        """What has come, at most `size` bytes; nothing means that the stream has ended."""
        try:
            data: bytes = self._channel.recv(size)
        except TimeoutError:
            raise self._late() from None
        if not data and not (self._heard and self._channels.is_alive()):
            raise self.ended()
        if not self._heard:
            self._heard = True
            self._ways.answers(self._way)
        return data

    def settimeout(self, seconds: float | None) -> None:
        """Seconds of silence.

        The SDK takes the limit away from streams (None), which would let them hang forever.
        """
        if seconds is not None:
            self._timeout = seconds
            self._channel.settimeout(seconds)

    def fileno(self) -> int:
        return self._channel.fileno()

    def shutdown(self, how: int) -> None:
        self._channel.shutdown(how)

    def shutdown_write(self) -> None:
        """Tell the other side that nothing more comes."""
        self._channel.shutdown_write()

    def makefile(self, mode: str, *args: Any, **kwargs: Any) -> _Reader:
        return _Reader(self)

    def close(self) -> None:
        with self._lock:
            if not self._open:
                return
            self._open = False
        self._channels.give_back(self._channel, spare=self._way.spare)

    def _late(self) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"{self._channels.target.name}: the engine did not answer `{self.asked}` within {self._timeout:g} s",
            remedy="See what it is doing: journalctl -u docker; if it hangs: systemctl restart docker",
        )

    def ended(self) -> HostError:
        """Why the channel ended although more was due.

        What dial-stdio says on standard error, where it was run.
        """
        text = _last_words(self._channel) if self._way.dialled else ""
        stale = self._served and not self._heard
        lost = not self._channels.is_alive()
        return explain_end(self._channels.target, self.asked, text, lost=lost, stale=stale, begun=self._heard)


def _last_words(channel: paramiko.Channel) -> str:
    channel.status_event.wait(5.0)
    stderr = b""
    until = time.monotonic() + 5.0
    while time.monotonic() < until and (part := _stderr(channel)):
        stderr += part
    return stderr.decode(errors="replace").strip()


def _stderr(channel: paramiko.Channel) -> bytes:
    try:
        channel.settimeout(1.0)
        data: bytes = channel.recv_stderr(65536)
        return data
    except (OSError, EOFError):
        return b""


class _Reader:
    """A file over the channel that never reads more than requested.

    After the head of an answer the SDK reads exec and attach streams from the channel itself: a buffer would have
    swallowed their beginning.
    """

    def __init__(self, stream: Stream) -> None:
        self.channel = stream  # the SDK takes the raw socket of a response from here
        self.closed = False

    def readline(self, limit: int = -1) -> bytes:
        line = bytearray()
        while not line.endswith(b"\n") and len(line) != limit:
            byte = self.channel.recv(1)
            if not byte:
                raise self.channel.ended()  # heads and sizes of chunks are never cut off by a sound engine
            line += byte
        return bytes(line)

    def read(self, size: int | None = -1) -> bytes:
        data = bytearray()
        unlimited = size is None or size < 0
        while unlimited or len(data) < cast(int, size):
            part = self.channel.recv(65536) if unlimited else self._due(cast(int, size) - len(data))
            if not part:
                break
            data += part
        return bytes(data)

    def read1(self, size: int = -1) -> bytes:
        return self._due(size) if size > 0 else self.channel.recv(65536)

    def readinto(self, buffer: memoryview) -> int:
        data = self._due(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _due(self, size: int) -> bytes:
        """Some of `size` bytes that the engine announced.

        An end before them is an error, not the end of a body.
        """
        data = self.channel.recv(size)
        if size and not data:
            raise self.channel.ended()
        return data

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

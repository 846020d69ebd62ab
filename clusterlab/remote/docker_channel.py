"""The Docker SDK through a host's SSH connection: HTTP over channels that run `docker system dial-stdio`.

The SDK's own ssh:// opens a connection of its own, knows no jump host, and reads only the default known_hosts. Here
its client gets a transport adapter (requests) over a pool (urllib3) whose connections are channels; they are kept
alive and used again.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import docker
import paramiko
import requests
import urllib3
from docker.constants import DEFAULT_DOCKER_API_VERSION
from docker.transport.basehttpadapter import BaseHTTPAdapter
from docker.utils import version_lt
from urllib3.connection import HTTPConnection

from clusterlab.errors import DeadlineExceeded, HostError

from .docker_errors import explain_dial
from .link import Link, seconds_left

BASE_URL = "http+docker://ssh"  # from this the SDK knows that the raw socket of a response is its `.channel`
TIMEOUT = 60.0
"""Seconds of silence after which a request has failed."""
MAX_DIALS = 5
"""Channels for the engine, so that some are always left for commands."""

_DIAL = ["docker", "--host", "unix:///var/run/docker.sock", "system", "dial-stdio"]


def connect(link: Link, counts: Counter[str]) -> docker.APIClient:
    """A client of the host's engine, speaking the newest API version that both sides know."""
    pool = _Pool(link, counts)
    version = DEFAULT_DOCKER_API_VERSION
    client = docker.APIClient(base_url="http://engine.invalid:1", version=version, timeout=int(TIMEOUT))
    client.trust_env = False  # no proxy stands between
    client.mount("http+docker://", _Adapter(pool, client))
    client.base_url = BASE_URL
    return client


class _Adapter(BaseHTTPAdapter):
    """Sends every request through one pool, in a version of the API that the engine knows.

    The SDK would ask for the engine's version first, which costs a request per host. Instead its own version is tried:
    an engine that is too old for it refuses that (400) and tells the newest one that it knows, in a header.
    """

    def __init__(self, pool: _Pool, client: docker.APIClient) -> None:
        super().__init__()
        self._pool = pool
        self._client = client

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        answer = super().send(request, *args, **kwargs)
        asked, known = self._client.api_version, answer.headers.get("Api-Version", "")
        if answer.status_code != requests.codes.bad_request or not known or not version_lt(known, asked):
            return answer
        self._client._version = known  # type: ignore[attr-defined]  # there is no other way to change it later
        if not isinstance(request.body, str | bytes | None):
            return answer  # a stream can be sent only once
        answer.close()
        request.url = str(request.url).replace(f"/v{asked}/", f"/v{known}/", 1)
        return super().send(request, *args, **kwargs)

    def get_connection(self, url: Any, proxies: Any = None) -> Any:
        return self._pool

    def close(self) -> None:
        super().close()
        self._pool.close()


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    """Lends connections, MAX_DIALS at most at a time, and keeps idle ones for the next who asks."""

    def __init__(self, link: Link, counts: Counter[str]) -> None:
        super().__init__("localhost")
        self._link = link
        self._counts = counts
        self._changed = threading.Condition()
        self._idle: list[_Connection] = []
        self._lent_or_idle = 0

    def _get_conn(self, timeout: float | None = None) -> Any:
        """An idle connection that is still open, or a new one as soon as there may be one more."""
        deadline = time.monotonic() + TIMEOUT
        with self._changed:
            while True:
                while self._idle:
                    connection = self._idle.pop()
                    if connection.is_connected:
                        return connection
                    connection.close()
                if self._lent_or_idle < MAX_DIALS:
                    self._lent_or_idle += 1
                    return _Connection(self._link, self._counts, self._gone)
                if not self._changed.wait(seconds_left(deadline)):
                    raise DeadlineExceeded(
                        f"{self._link.target.name}: all {MAX_DIALS} channels to the engine were in use "
                        f"for {TIMEOUT:g} s",
                        remedy="See what the engine is doing: journalctl -u docker",
                    )

    def _put_conn(self, connection: Any) -> None:
        if connection is None:
            return
        if not connection.is_connected:
            connection.close()
            return
        with self._changed:
            self._idle.append(connection)
            self._changed.notify()

    def _gone(self) -> None:
        with self._changed:
            self._lent_or_idle -= 1
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            while self._idle:
                self._idle.pop().close()


class _Connection(HTTPConnection):
    """One HTTP connection to the engine; once closed it is not opened again, and `gone` has been called."""

    def __init__(self, link: Link, counts: Counter[str], gone: Callable[[], None]) -> None:
        super().__init__("localhost")
        self._link = link
        self._counts = counts
        self._gone: Callable[[], None] | None = gone

    def connect(self) -> None:
        self.sock = cast(Any, _Dial(self._link, self._counts))

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        self._counts["requests"] += 1
        cast(_Dial, self.sock).expect_answer(f"{method} {url.partition('?')[0]}")  # without what may be private
        super().request(method, url, *args, **kwargs)

    def close(self) -> None:
        super().close()
        gone, self._gone = self._gone, None
        if gone:
            gone()

    @property
    def is_connected(self) -> bool:
        return self.sock is not None and cast(_Dial, self.sock).is_idle


class _Dial:
    """A channel that runs `docker system dial-stdio`: what http.client and the SDK take for a socket.

    Its reads and writes raise this project's errors: these pass unchanged through urllib3, requests and the SDK, also
    from the middle of a stream.
    """

    def __init__(self, link: Link, counts: Counter[str]) -> None:
        self.asked = ""
        self._link = link
        self._lock = threading.Lock()
        self._timeout = TIMEOUT
        self._heard = False
        self._channel = link.take(TIMEOUT)
        self._open = True
        counts["dials"] += 1
        sudo = ["sudo", "-n", "--"] if link.target.become else []
        try:
            self._channel.settimeout(TIMEOUT)
            self._channel.exec_command(shlex.join([*sudo, *_DIAL]))
        except (paramiko.SSHException, EOFError, OSError) as error:
            self.close()
            raise HostError(
                link.target.name,
                f"the connection was lost while the engine was dialled ({error or type(error).__name__})",
                remedy="The machine may be rebooting: try again.",
            ) from error

    def expect_answer(self, asked: str) -> None:
        """From now on an end of the stream is an error, until something has come; `asked` is for its message."""
        self.asked = asked
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
            raise self._ended() from None

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def recv(self, size: int) -> bytes:
        """What has come, at most `size` bytes; nothing means that the stream has ended."""
        try:
            data: bytes = self._channel.recv(size)
        except TimeoutError:
            raise self._late() from None
        if not data and not self._heard:
            raise self._ended()
        self._heard = True
        return data

    def settimeout(self, seconds: float | None) -> None:
        """Seconds of silence; the SDK takes the limit away from streams (None), which would let them hang for ever."""
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
        self._link.give_back(self._channel)

    def _late(self) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"{self._link.target.name}: the engine did not answer `{self.asked}` within {self._timeout:g} s",
            remedy="See what it is doing: journalctl -u docker; if it hangs: systemctl restart docker",
        )

    def _ended(self) -> HostError:
        """Why the channel ended although an answer was due: what dial-stdio says on standard error."""
        channel = self._channel
        channel.status_event.wait(5.0)
        stderr = b""
        until = time.monotonic() + 5.0
        while time.monotonic() < until and (part := _stderr(channel)):
            stderr += part
        return explain_dial(
            self._link.target,
            self.asked,
            stderr.decode(errors="replace").strip(),
            lost=not self._link.is_alive(),
        )


def _stderr(channel: paramiko.Channel) -> bytes:
    try:
        channel.settimeout(1.0)
        data: bytes = channel.recv_stderr(65536)
        return data
    except (OSError, EOFError):
        return b""


class _Reader:
    """A file over the channel that never takes more than it was asked for.

    After the head of an answer the SDK reads exec and attach streams from the channel itself: a buffer would have
    swallowed their beginning.
    """

    def __init__(self, dial: _Dial) -> None:
        self.channel = dial  # the SDK takes the raw socket of a response from here
        self.closed = False

    def readline(self, limit: int = -1) -> bytes:
        line = bytearray()
        while not line.endswith(b"\n") and len(line) != limit:
            byte = self.channel.recv(1)
            if not byte:
                break
            line += byte
        return bytes(line)

    def read(self, size: int | None = -1) -> bytes:
        data = bytearray()
        unlimited = size is None or size < 0
        while unlimited or len(data) < cast(int, size):
            part = self.channel.recv(65536 if unlimited else cast(int, size) - len(data))
            if not part:
                break
            data += part
        return bytes(data)

    def read1(self, size: int = -1) -> bytes:
        return self.channel.recv(size if size > 0 else 65536)

    def readinto(self, buffer: memoryview) -> int:
        data = self.channel.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

"""The Docker SDK through a host's SSH connection.

HTTP over channels to the engine's socket.

The SDK's own ssh:// opens a connection of its own, knows no jump host, and reads only the default known_hosts. Here
its client gets a transport adapter (requests) over a pool (urllib3) whose connections are channels; they are kept
alive and used again.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import docker
import requests
import urllib3
from docker.constants import DEFAULT_DOCKER_API_VERSION
from docker.transport.basehttpadapter import BaseHTTPAdapter
from docker.utils import version_lt
from urllib3.connection import HTTPConnection

from clusterlab.waiting import seconds_left

from .channels import SPARE_CHANNELS, Channels, ChannelsInUse
from .docker_errors import Unanswered
from .docker_stream import TIMEOUT, Stream
from .docker_ways import Ways
from .trace import step

BASE_URL = "http+docker://ssh"  # from this the SDK knows that the raw socket of a response is its `.channel`
MAX_STREAMS = 5
"""Channels for the engine, so that some are always left for commands."""


def connect(
    channels: Channels, ways: Ways, counts: Counter[str], timeout: float = TIMEOUT, *, spare: bool = False
) -> docker.APIClient:
    """A client of the host's engine.

    It speaks the newest API version that both sides know. Requests fail after `timeout` seconds of silence. With
    `spare` they go through the connection's spare channel, one after the other.
    """
    pool = _Pool(channels, ways, counts, timeout, spare)
    version = DEFAULT_DOCKER_API_VERSION
    client = docker.APIClient(base_url="http://engine.invalid:1", version=version, timeout=int(timeout))
    client.trust_env = False  # no proxy stands between
    client.mount("http+docker://", _Adapter(pool, client))
    client.base_url = BASE_URL
    return client


class _Adapter(BaseHTTPAdapter):
    """Sends every request through one pool.

    In a version of the API that the engine knows.

    The SDK would ask for the engine's version first, which costs a request per host. Instead its own version is tried:
    an engine that is too old for it refuses that (400) and reports the newest one that it knows, in a header.
    """

    def __init__(self, pool: _Pool, client: docker.APIClient) -> None:
        super().__init__()
        self._pool = pool
        self._client = client

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        answer = self._traced(request, *args, **kwargs)
        asked, known = _version(request), answer.headers.get("Api-Version", "")
        if answer.status_code != requests.codes.bad_request or not asked or not known or not version_lt(known, asked):
            return answer
        self._client._version = known  # type: ignore[attr-defined]  # there is no other way to change it later
        if not isinstance(request.body, str | bytes | None):
            return answer  # a stream can be sent only once
        answer.close()
        request.url = str(request.url).replace(f"/v{asked}/", f"/v{known}/", 1)
        return self._traced(request, *args, **kwargs)

    def _traced(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        with step(self._pool.target, f"{request.method} {_path(request)}") as outcome:
            answer = self._send(request, *args, **kwargs)
            outcome.text = str(answer.status_code)
        return answer

    def _send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send it, a question again when its channel had ended unnoticed.

        What may have been carried out is not.
        """
        for _ in range(MAX_STREAMS):
            try:
                return super().send(request, *args, **kwargs)
            except Unanswered:
                if request.method != "GET":
                    self._client.ping()  # a question of its own, which says why when the engine is gone
                    raise
        return super().send(request, *args, **kwargs)

    def get_connection(self, url: Any, proxies: Any = None) -> Any:
        return self._pool

    def close(self) -> None:
        super().close()
        self._pool.close()


def _path(request: requests.PreparedRequest) -> str:
    """What is asked for, without what may be private."""
    return str(request.path_url).partition("?")[0]


def _version(request: requests.PreparedRequest) -> str:
    """The API version that a request was sent in.

    The client's own may have been lowered by another thread since.
    """
    found = re.match(r"/v([0-9.]+)/", str(request.path_url))
    return found[1] if found else ""


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    """Lends connections, at most MAX_STREAMS at a time.

    Keeps idle ones for the next caller.
    """

    def __init__(self, channels: Channels, ways: Ways, counts: Counter[str], timeout: float, spare: bool) -> None:
        super().__init__("localhost")
        self._channels = channels
        self._counts = counts
        self._open = partial(Stream, channels, ways, timeout, spare=spare)
        self._timeout = timeout
        self._most = SPARE_CHANNELS if spare else MAX_STREAMS
        self._changed = threading.Condition()
        self._idle: list[_Connection] = []
        self._lent_or_idle = 0

    @property
    def target(self) -> str:
        """The host's name."""
        return self._channels.target.name

    def _get_conn(self, timeout: float | None = None) -> Any:
        """An idle connection that is still open, or a new one.

        Waits until there may be one more.
        """
        deadline = time.monotonic() + self._timeout
        with self._changed:
            while True:
                while self._idle:
                    connection = self._idle.pop()
                    if connection.is_connected:
                        return connection
                    connection.close()
                if self._lent_or_idle < self._most:
                    self._lent_or_idle += 1
                    return _Connection(self._open, self._counts, self._gone)
                if not self._changed.wait(seconds_left(deadline)):
                    raise ChannelsInUse(
                        f"{self._channels.target.name}: all {self._most} channels to the engine were in use "
                        f"for {self._timeout:g} s",
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
    """One HTTP connection to the engine.

    Once closed it is not opened again, and `gone` has been called.
    """

    def __init__(self, opening: Callable[[], Stream], counts: Counter[str], gone: Callable[[], None]) -> None:
        super().__init__("localhost")
        self._opening = opening
        self._counts = counts
        self._gone: Callable[[], None] | None = gone

    def connect(self) -> None:
        self.sock = cast(Any, self._opening())

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        self._counts["requests"] += 1
        cast(Stream, self.sock).expect_answer(f"{method} {url.partition('?')[0]}")  # without what may be private
        super().request(method, url, *args, **kwargs)

    def close(self) -> None:
        gone, self._gone = self._gone, None
        try:
            super().close()
        finally:
            if gone:
                gone()

    @property
    def is_connected(self) -> bool:
        return self.sock is not None and cast(Stream, self.sock).is_idle

"""The one connection to a host, and the channels on it.

Opened when first used, and again after it was lost.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import cast

import fabric
import paramiko

from clusterlab.errors import DeadlineExceeded, HostError
from clusterlab.waiting import seconds_left

from .connection import Connections, close, is_alive
from .target import Target
from .trace import step
from .transport import Transport

MAX_CHANNELS = 8
"""Per connection; sshd's default MaxSessions is 10."""
SPARE_CHANNELS = 1
"""Besides these, for questions about the host itself: they must not wait for what the checks of a busy host hold."""
REFUSAL_SECONDS = 5.0
CLOSE_SECONDS = 2.0
"""How long closing waits for a thread that connects and was cancelled."""


class ChannelsInUse(DeadlineExceeded):
    """All channels of the connection stayed in use; the host may be fine."""


class SessionRefused(HostError):
    """The sshd of a host refuses another session on the connection, so it is there."""


class ForwardingRefused(HostError):
    """The sshd of a host opens no channel to a Unix socket there.

    It may not, or nothing listens on it.
    """


class Channels:
    """Channels to one host. Safe to use from several threads.

    `counts` is added to: "connections" opened.
    """

    def __init__(self, target: Target, connections: Connections, counts: Counter[str]) -> None:
        self.target = target
        self._connections = connections
        self._counts = counts
        self._free = threading.BoundedSemaphore(MAX_CHANNELS)
        self._spare = threading.BoundedSemaphore(SPARE_CHANNELS)
        self._lock = threading.Lock()
        self._connection: fabric.Connection | None = None
        self._closed = 0  # how often

    @contextmanager
    def channel(self, timeout: float, *, spare: bool = False) -> Iterator[paramiko.Channel]:
        """A session channel, closed at the end of the block.

        Waits up to `timeout` seconds for a free one.
        """
        channel = self.take(timeout, spare=spare)
        try:
            yield channel
        finally:
            self.give_back(channel, spare=spare)

    def take(self, timeout: float, *, spare: bool = False, socket: str = "") -> paramiko.Channel:
        """A session channel, the `spare` one, or one to a Unix `socket`.

        To be ended with `give_back`.

        Raises HostError when the host cannot be reached (SessionRefused or ForwardingRefused when its sshd refuses the
        channel), ChannelsInUse when all channels stayed in use for `timeout` seconds.
        """
        free = self._spare if spare else self._free
        if not free.acquire(timeout=timeout):
            in_use = "the spare channel" if spare else f"each of the {MAX_CHANNELS} channels"
            raise ChannelsInUse(
                f"{self.target.name}: {in_use} of its SSH connection was in use for {timeout:g} s",
                remedy="Something on the host hangs; see what runs there.",
            )
        opened = None
        try:
            opened = self._open_channel(partial(self._forwarded, socket) if socket else self._session)
        finally:
            if opened is None:
                free.release()
        return opened

    def give_back(self, channel: paramiko.Channel, *, spare: bool = False) -> None:
        """Close a channel that `take` returned, exactly once; `spare` as it was taken."""
        # A connection that has just ended takes its channels with it.
        with suppress(paramiko.SSHException, EOFError, OSError):
            channel.close()
        (self._spare if spare else self._free).release()

    def is_alive(self) -> bool:
        connection = self._connection
        return connection is not None and is_alive(connection)

    def close(self) -> None:
        """Close the connection, and give up opening one.

        Commands still running through it end with an error.
        """
        self._closed += 1
        self._connections.cancel(self.target)
        if self._lock.acquire(timeout=CLOSE_SECONDS):  # else the thread that connects closes what it gets
            try:
                if self._connection is not None:
                    close(self._connection)
                    self._connection = None
            finally:
                self._lock.release()

    def _open_channel(self, opening: Callable[[fabric.Connection], paramiko.Channel]) -> paramiko.Channel:
        """A channel on the connection.

        A connection that turns out to be dead is replaced once.
        """
        connection = self._connected(None)
        try:
            return opening(connection)
        except (paramiko.SSHException, EOFError, OSError):
            close(connection)
        connection = self._connected(connection)
        try:
            return opening(connection)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise HostError(
                self.target.name,
                f"the connection was lost at once after it had been opened ({error or type(error).__name__})",
                remedy="The machine may be rebooting: try again. Otherwise its log says why: journalctl -u ssh",
            ) from error

    def _session(self, connection: fabric.Connection) -> paramiko.Channel:
        """A session, requested again for a moment when refused.

        Sshd counts one until it has noticed its end.

        The transport opens it: Fabric's own `create_session` would open a connection that another thread has closed.
        """
        deadline = time.monotonic() + REFUSAL_SECONDS
        pause = threading.Event()
        while True:
            try:
                channel: paramiko.Channel = connection.transport.open_session()
                return channel
            except paramiko.SSHException as refused:
                # Of refusals at the same time Paramiko gives only one thread the code: what counts is whether it lives.
                if not is_alive(connection):
                    raise
                if not seconds_left(deadline):
                    raise self._refused(refused) from refused
            pause.wait(0.05)

    def _forwarded(self, socket: str, connection: fabric.Connection) -> paramiko.Channel:
        """A channel to a Unix socket.

        Sshd says no more than that it refuses, whatever the reason.
        """
        try:
            return cast(Transport, connection.transport).open_unix_socket(socket)
        except paramiko.SSHException as refused:
            if not is_alive(connection):
                raise
            raise ForwardingRefused(self.target.name, f"its sshd opens no channel to {socket} ({refused})") from refused

    def _connected(self, dead: fabric.Connection | None) -> fabric.Connection:
        """The open connection, which is not `dead`.

        Opened by the first thread that comes, while the others wait.
        """
        with self._lock:
            connection = self._connection
            if connection is None or connection is dead or not is_alive(connection):
                if connection is not None:
                    close(connection)
                self._connection = None
                closed = self._closed
                with step(
                    self.target.name, f"connect to {self.target.user}@{self.target.address}:{self.target.port}"
                ) as outcome:
                    connection = self._connections.open(self.target)
                    outcome.text = "connected"
                if closed != self._closed:
                    close(connection)
                    raise HostError(self.target.name, "its connection was closed while it was opened")
                self._connection = connection
                self._counts["connections"] += 1
            return connection

    def _refused(self, error: paramiko.SSHException) -> SessionRefused:
        return SessionRefused(
            self.target.name,
            f"its sshd refuses another session on the connection ({error})",
            remedy=f"Allow it in the machine's /etc/ssh/sshd_config: MaxSessions {MAX_CHANNELS + 2}",
        )

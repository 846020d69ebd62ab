"""An attempt to connect, which another thread can end at any moment."""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial


class Attempt:
    """One attempt.

    `cancel` may be called from any thread, also before it begins and after it has ended.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wake = os.eventfd(0)
        self._end: Callable[[], None] | None = None
        self.cancelled = False

    def cancel(self) -> None:
        """End the attempt: whoever waits in it gets an error at once."""
        with self._lock:
            if self.cancelled or self._wake < 0:
                return
            self.cancelled = True
            os.eventfd_write(self._wake, 1)
            end = self._end
        if end:
            end()

    def ends_with(self, end: Callable[[], None]) -> None:
        """From now on `end` ends what the attempt waits for.

        Called at once when it was cancelled already.
        """
        with self._lock:
            self._end = end
            cancelled = self.cancelled
        if cancelled:
            end()

    def finish(self) -> None:
        """The attempt has ended, well or not: cancelling it has no effect any more."""
        with self._lock:
            self._end = None
            descriptor, self._wake = self._wake, -1
        os.close(descriptor)

    def dial(self, address: str, port: int, seconds: float) -> socket.socket:
        """A TCP connection, to the first of the name's addresses that accepts one.

        `seconds` are for each of them.

        Raises OSError: the first address's error, and ECANCELED when the attempt was cancelled.
        """
        first: OSError | None = None
        for family, kind, protocol, _, place in socket.getaddrinfo(address, port, type=socket.SOCK_STREAM):
            connection = socket.socket(family, kind, protocol)
            try:
                self._connect(connection, place, seconds)
            except OSError as error:
                connection.close()
                first = first or error
                if self.cancelled:
                    break
            else:
                self.ends_with(partial(_shut, connection))
                return connection
        raise first or OSError(errno.EADDRNOTAVAIL, f"{address} has no address")

    def _connect(self, connection: socket.socket, place: object, seconds: float) -> None:
        connection.setblocking(False)
        code = connection.connect_ex(place)  # type: ignore[arg-type]
        if code == errno.EINPROGRESS:
            ready = select.poll()
            ready.register(connection, select.POLLOUT)
            ready.register(self._wake, select.POLLIN)
            if not ready.poll(1000 * seconds):
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if self.cancelled:
            code = errno.ECANCELED
        if code:
            raise OSError(code, os.strerror(code))
        connection.settimeout(seconds)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)

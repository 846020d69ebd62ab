"""Whether an SSH server answers, without logging in."""

from __future__ import annotations

import socket


def greets(address: str, port: int, timeout: float) -> bool:
    """Whether an SSH server sends its greeting within `timeout` seconds.

    A mere connection proves nothing: a forwarder (QEMU's) accepts connections long before the machine can.
    """
    try:
        with socket.create_connection((address, port), timeout) as connection:
            connection.settimeout(timeout)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False

"""A port on loopback is open only if what accepts does not close at once, as the engine's own proxy may."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import pytest

from clusterlab.checks.kinds.port import PortProbe, command, parse
from clusterlab.remote.completed import Completed


def serve(server: socket.socket, first: bytes | None) -> None:
    """Accept one client: close at once without `first`, else send it and wait for the client to close."""
    client, _ = server.accept()
    with client:
        if first is not None:
            client.sendall(first)
            with suppress(ConnectionResetError):  # the client closes without having read all
                client.recv(1)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.mark.parametrize(
    ("first", "timeout", "reached", "found"),
    [
        (None, 5.0, False, "closed at once"),
        (b"\0hello", 5.0, True, "open"),
        (b"", 5.0, True, "open"),
        (b"", 1.0, True, "open"),
    ],
)
def test_what_accepts_must_not_close_at_once(
    server: socket.socket, first: bytes | None, timeout: float, reached: bool, found: str
) -> None:
    port = server.getsockname()[1]
    thread = Thread(target=serve, args=(server, first))
    thread.start()
    probe = PortProbe(on=["host1"], to="127.0.0.1", port=port, timeout=timeout)
    argv = command(probe, "bash", "127.0.0.1", str(port))
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    thread.join()
    met = parse(Completed("host1", "", ended.returncode, ended.stdout, ended.stderr, 0.0), "bash")
    assert met.reached is reached
    assert found in met.found

"""What must not leave as it is: a token, and control sequences as containers, hosts and labels may have them."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

TOKEN = "SWMTKN-1-3pu6hszjas19xyp7ghgosyx9k8atbfcr8p2is99znpy26u2lkl-1awxwuwd3z9j1z3puu7rcgdbx"
HOSTILE = (
    r"\033]52;c;aGFja2Vk\007\033]0;owned\007\033[2J\033[1;1H\033]8;;http://evil/\007link\033]8;;\007"
    r"\302\2331;1H\342\200\256txet\r"
)
"""For printf(1): the clipboard, the title, the cursor, a link, and text from right to left."""
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_BANNER = b"\x1b]52;c;aGFja2Vk\x07\x1b]0;owned\x07\x9b1;1H not SSH\r\n" * 3


@contextmanager
def hostile_ssh_server() -> Iterator[int]:
    """A port on loopback whose banner is hostile."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(_BANNER)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)

"""Talking to a running QEMU through its monitor socket (QMP)."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from clusterlab.errors import ClusterlabError


class Monitor:
    """An open monitor. One command at a time; events are skipped."""

    def __init__(self, connection: socket.socket, name: str) -> None:
        self._stream = connection.makefile("rwb")
        self._name = name
        self._number = 0
        self._reply(None)  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: Any) -> Any:
        """What the command returns.

        Raises ClusterlabError when QEMU refuses it, OSError when it went away.
        """
        self._number += 1
        request = {"execute": command, "arguments": arguments, "id": self._number}
        self._stream.write(json.dumps(request).encode() + b"\n")
        self._stream.flush()
        reply = self._reply(self._number)
        if "error" in reply:
            raise ClusterlabError(
                f"QEMU of {self._name} refused {command}: {reply['error'].get('desc', reply['error'])}"
            )
        return reply["return"]

    def _reply(self, number: int | None) -> dict[str, Any]:
        """The reply to this request. An interrupt may have left that to an earlier one unread."""
        while True:
            line = self._stream.readline()
            if not line:
                raise ConnectionResetError(f"QEMU of {self._name} closed its monitor")
            message: dict[str, Any] = json.loads(line)
            if "event" not in message and message.get("id") == number:
                return message


@contextmanager
def monitor(folder: Path, timeout: float = 10.0) -> Iterator[Monitor]:
    """The monitor of the QEMU that runs in `folder`.

    Raises OSError when there is none or it does not answer in time.

    The path of a socket is limited to 107 bytes, so it is opened through a descriptor of its folder.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(f"/proc/self/fd/{descriptor}/qmp")
            try:
                yield Monitor(connection, folder.name)
            finally:  # QEMU serves one at a time, and the stream would keep it open as long as somebody has the Monitor
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
    finally:
        os.close(descriptor)

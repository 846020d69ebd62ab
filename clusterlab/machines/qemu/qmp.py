"""Talking to a running QEMU through its monitor socket (QMP)."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clusterlab.errors import ClusterlabError


class Monitor:
    """An open monitor. One command at a time; events are skipped."""

    def __init__(self, connection: socket.socket, name: str) -> None:
        self._stream = connection.makefile("rwb")
        self._name = name
        self._reply()  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: Any) -> Any:
        """What the command returns.

        Raises ClusterlabError when QEMU refuses it, OSError when it went away.
        """
        self._stream.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self._stream.flush()
        reply = self._reply()
        if "error" in reply:
            raise ClusterlabError(
                f"QEMU of {self._name} refused {command}: {reply['error'].get('desc', reply['error'])}"
            )
        return reply["return"]

    def _reply(self) -> dict[str, Any]:
        while True:
            line = self._stream.readline()
            if not line:
                raise ConnectionResetError(f"QEMU of {self._name} closed its monitor")
            message: dict[str, Any] = json.loads(line)
            if "event" not in message:
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
            yield Monitor(connection, folder.name)
    finally:
        os.close(descriptor)

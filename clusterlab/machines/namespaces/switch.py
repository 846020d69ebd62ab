"""The LAN of one lab and the way in from outside.

A process of its own, started by `up`, ended by `down`.

    switch.py LAB_FOLDER HOST=PORT...

It is in a network namespace of its own that holds the bridge, so labs with the same subnet do not meet. For each host
it listens on loopback outside, and joins what connects there to port 22 inside the host, reached through the host's own
loopback: a cut on the LAN does not cut off management. Port 0 means any. When all is there, LAB_FOLDER/switch.json says
its process and its ports, and its output ends.

It runs by its path, without the rest of clusterlab, to be small and quick to start.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

CLONE_NEWNET = 0x40000000
_MARK = f"CLUSTERLAB_NAMESPACES={os.environ.get('CLUSTERLAB_NAMESPACES')}".encode()  # see processes.py
_libc = ctypes.CDLL(None, use_errno=True)


def main(folder: Path, ports: dict[str, int]) -> None:
    listeners = {host: _listen(port) for host, port in ports.items()}
    _call(_libc.unshare, CLONE_NEWNET)
    subprocess.run(["ip", "link", "add", "lan", "type", "bridge"], check=True)
    subprocess.run(["ip", "link", "set", "lan", "up"], check=True)
    _tell(folder / "switch.json", {host: listener.getsockname()[1] for host, listener in listeners.items()})
    threads = [
        threading.Thread(target=_serve, args=(listener, folder / "hosts" / host / "pid"))
        for host, listener in listeners.items()
    ]
    for thread in threads:
        thread.start()


def _tell(file: Path, ports: dict[str, int]) -> None:
    scratch = file.with_suffix(".new")
    scratch.write_text(json.dumps({"pid": os.getpid(), "ports": ports}))
    scratch.replace(file)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=64)
    except OSError:
        if port == 0:
            raise
        return _listen(0)  # somebody else took it meanwhile


def _serve(listener: socket.socket, pid_file: Path) -> None:
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_join, args=(client, pid_file), daemon=True).start()


def _join(client: socket.socket, pid_file: Path) -> None:
    """Carry one connection.

    This thread enters the host's network for it, and ends with it.
    """
    with client, contextlib.suppress(OSError, ValueError):
        process = Path("/proc", str(int(pid_file.read_text())))
        if _MARK not in (process / "environ").read_bytes().split(b"\0"):
            return  # the host is down, and its number is another process's now
        namespace = os.open(process / "ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call(_libc.setns, namespace, CLONE_NEWNET)
        finally:
            os.close(namespace)
        with socket.create_connection(("127.0.0.1", 22), timeout=10) as server:
            server.settimeout(None)
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := source.recv(1 << 17):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _call(function: ctypes._NamedFuncPointer, *arguments: int) -> None:
    if function(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{function.__name__}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), {host: int(port) for host, port in (pair.split("=") for pair in sys.argv[2:])})

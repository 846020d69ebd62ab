"""Running a command in a container through the engine's API."""

from __future__ import annotations

import shlex
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import docker.errors

from clusterlab.errors import ClusterlabError, DeadlineExceeded, HostError
from clusterlab.waiting import seconds_left

from .completed import Completed
from .engine_errors import engine_errors
from .trace import step

if TYPE_CHECKING:
    from .host import Host

_HEADER = struct.Struct(">BxxxL")  # which stream, how many bytes: the attach format of the Engine API
_STDERR = 2
_CANNOT_START = (126, 127)
_END_SECONDS = 5.0


def execute(host: Host, container: str, argv: Sequence[str], *, stdin: bytes, user: str, timeout: float) -> Completed:
    """See `Host.exec`."""
    doing = step(host.name, f"in {container}: {shlex.join(argv)}")
    with engine_errors(host, f"run a command in container {container}"), doing as outcome:
        ended = _execute(host, container, argv, stdin, user, timeout)
        outcome.text = "did not end in time" if isinstance(ended, _Late) else f"exit {ended.exit}"
    if isinstance(ended, _Late):
        raise DeadlineExceeded(
            f"{container} on {host.name}: `{shlex.join(argv)}` did not end within {timeout:g} s", detail=ended.remains
        )
    return ended


@dataclass(frozen=True)
class _Late:
    """The command did not end in time.

    `remains` says what could not be ended, and is empty when all was.
    """

    remains: str


def _execute(
    host: Host, container: str, argv: Sequence[str], stdin: bytes, user: str, timeout: float
) -> Completed | _Late:
    began = time.monotonic()
    shown = shlex.join(argv)
    host.counts["execs"] += 1
    place = f"{container} on {host.name}"
    try:
        made = host.docker.exec_create(container, list(argv), stdin=bool(stdin), user=user)
    except docker.errors.APIError as error:
        raise _refused(host, container, shown, error) from error
    try:
        stream: Any = host.docker.exec_start(made["Id"], socket=True)
    except docker.errors.APIError as error:
        reported = host.docker.exec_inspect(made["Id"]).get("ExitCode")
        if reported not in _CANNOT_START:
            raise _refused(host, container, shown, error) from error
        return Completed(place, shown, reported, "", str(error.explanation), time.monotonic() - began)
    try:
        streams = _exchange(stream, stdin, began + timeout)
    finally:
        stream._response.close()
    if streams is None:
        return _Late(_end(host, made["Id"]))
    code = _exit_code(host, made["Id"], place)
    stdout, stderr = (data.decode(errors="replace") for data in streams)
    return Completed(place, shown, code, stdout, stderr, time.monotonic() - began)


def _exchange(stream: Any, stdin: bytes, deadline: float) -> tuple[bytes, bytes] | None:
    """Feed `stdin` and read both streams to their end.

    None when the time is up before.
    """
    if stdin:
        threading.Thread(target=_feed, args=(stream, stdin), daemon=True).start()
    out: tuple[bytearray, bytearray] = (bytearray(), bytearray())
    try:
        while header := _exactly(stream, _HEADER.size, deadline):
            number, size = _HEADER.unpack(header)
            out[number == _STDERR].extend(_exactly(stream, size, deadline))
    except DeadlineExceeded:
        return None
    return bytes(out[0]), bytes(out[1])


def _feed(stream: Any, stdin: bytes) -> None:
    try:
        stream.sendall(stdin)
        stream.shutdown_write()
    except (ClusterlabError, OSError, EOFError):
        pass  # the command ended without reading it; whoever reads the output finds out


def _exactly(stream: Any, size: int, deadline: float) -> bytes:
    """`size` bytes; fewer only at the end of the stream."""
    data = bytearray()
    while len(data) < size:
        left = seconds_left(deadline)
        if not left:
            raise DeadlineExceeded("")
        stream.settimeout(left)
        part = stream.recv(size - len(data))
        if not part:
            break
        data += part
    return bytes(data)


def _exit_code(host: Host, exec_id: str, place: str) -> int:
    """The engine learns of the end a moment after the streams have ended."""
    deadline = time.monotonic() + _END_SECONDS
    pause = threading.Event()
    while True:
        seen = host.docker.exec_inspect(exec_id)
        if not seen["Running"] and seen["ExitCode"] is not None:
            return int(seen["ExitCode"])
        if not seconds_left(deadline):
            raise DeadlineExceeded(f"{place}: the command closed its output {_END_SECONDS:g} s ago and still runs")
        pause.wait(0.05)


def _end(host: Host, exec_id: str) -> str:
    """Kill what runs in the container for this exec.

    Returns what to report, empty when it is gone.

    The API cannot do that. The engine starts every exec as the leader of a session, so its process group is killed on
    the host.
    """
    try:
        pid = int(host.docker.exec_inspect(exec_id).get("Pid") or 0)
        if pid:
            killed = host.run(["kill", "-KILL", "--", f"-{pid}"], timeout=10.0)
            return "" if killed.ok else f"process {pid} still runs on {host.name}: {killed.output}"
    except ClusterlabError as error:
        return f"it could not be ended: {error.message}"
    return ""


def _refused(host: Host, container: str, shown: str, error: docker.errors.APIError) -> HostError:
    if error.status_code == 404:
        return HostError(host.name, f"there is no container {container}", remedy="Run `clusterlab apply`.")
    if error.status_code == 409:
        return HostError(
            host.name,
            f"container {container} does not run",
            remedy=f"See why it stopped: docker logs {container}; `clusterlab apply` starts it.",
            detail=str(error.explanation),
        )
    return HostError(
        host.name, f"`{shown}` could not be run in container {container}", detail=str(error.explanation or error)
    )

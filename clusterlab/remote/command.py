"""Running one command on a channel until it ends or its time is up.

Paramiko's channel is driven directly: Fabric's runner starts three threads for each command, decodes while it reads,
cannot feed bytes, and distinguishes neither a lost connection nor a passed deadline from a command that failed. The
connection is Fabric's.
"""

from __future__ import annotations

import select
import shlex
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import paramiko

from clusterlab.waiting import seconds_left

KILL_SECONDS = 5
"""From SIGTERM to SIGKILL on the host."""
GRACE_SECONDS = 10
"""How long after the deadline the host may take to say that it has ended the command."""
QUIET_SECONDS = 2.0
"""A command has ended, but something it started holds its output open: how long that may stay silent."""
MAX_OUTPUT = 64 * 1024 * 1024
"""Bytes of each stream; more is an error, since all of it is held in memory."""
_AND_THE_REST = """
"$@"; code=$?
[ $code -eq 124 ] || exit $code
ask() { read -r line < "/proc/$1/stat" && set -- ${line##*) } && group=$3 session=$4; }
ask $$; mine=$group here=$session
for process in /proc/[0-9]*; do
  ask "${process#/proc/}" && [ "$session" = "$here" ] && [ "$group" != "$mine" ] && kill -KILL "-$group"
done 2>/dev/null
exit $code
"""
"""timeout(1) ends with 124 as soon as its child has ended, though others of its group may not have. sshd gives each
command a
session of its own, so all other groups in this one are the command's."""
_POLL_SECONDS = 0.5
_CHUNK = 65536


class Lost(Exception):
    """The channel ended without an exit code: the connection is gone."""


class TooMuchOutput(Exception):
    """A stream is longer than MAX_OUTPUT."""


class TimeUp(Exception):
    """The command did not end in its time; what it had printed until then."""

    def __init__(self, stdout: bytes, stderr: bytes) -> None:
        super().__init__()
        self.stdout = stdout
        self.stderr = stderr


@dataclass(frozen=True)
class Ended:
    """What a command left.

    Its exit code (128 + n after signal n) and both streams as they came.
    """

    exit: int
    stdout: bytes
    stderr: bytes
    seconds: float


def command_line(argv: Sequence[str], timeout: float, become: bool, engine: str = "") -> str:
    """The line for the user's login shell that runs `argv` within a time limit.

    It ends the command on the host when the time is up.

    `engine` is the socket of the engine that docker(1) asks there; "" for the one that it asks by itself.

    sshd leaves a command running when its channel or connection goes away, so the host itself must end it: timeout(1)
    does, with all processes of its group. The shell around it turns a death by signal into an exit code, and kills what
    of the group has ignored SIGTERM.
    """
    limited = ["timeout", f"--kill-after={KILL_SECONDS}", f"{timeout:.3f}", *argv]
    sudo = ["sudo", "-n", "--"] if become else []
    docker = ["env", f"DOCKER_HOST=unix://{engine}"] if engine else []  # after sudo, which clears the environment
    return shlex.join(["env", "LC_ALL=C.UTF-8", *sudo, *docker, "sh", "-c", _AND_THE_REST, "sh", *limited])


def run(channel: paramiko.Channel, line: str, stdin: bytes, timeout: float) -> Ended:
    """Run `line`, feed it `stdin`, and read both streams to their ends.

    `timeout` (seconds) is when the host ends it; if it has not said so GRACE_SECONDS later, TimeUp is raised too.
    """
    began = time.monotonic()
    deadline = began + timeout + KILL_SECONDS + GRACE_SECONDS
    try:
        channel.settimeout(max(1.0, timeout))
        channel.exec_command(line)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Lost from error
    _feed(channel, stdin)
    stdout, stderr = bytearray(), bytearray()
    _read(channel, stdout, stderr, deadline)
    if not channel.exit_status_ready() and not channel.closed:
        raise TimeUp(bytes(stdout), bytes(stderr))
    status = channel.recv_exit_status()
    seconds = time.monotonic() - began
    if status < 0:
        raise Lost
    if status in (124, 137) and seconds >= timeout:
        raise TimeUp(bytes(stdout), bytes(stderr))
    return Ended(status, bytes(stdout), bytes(stderr), seconds)


def _feed(channel: paramiko.Channel, stdin: bytes) -> None:
    """Send `stdin` and end it.

    Beside the reading, since a command may print before it has read all.
    """
    if stdin:
        threading.Thread(target=_send, args=(channel, stdin), daemon=True).start()
    else:
        _send(channel, b"")


def _send(channel: paramiko.Channel, stdin: bytes) -> None:
    try:
        channel.settimeout(None)
        channel.sendall(stdin)
        channel.shutdown_write()
    except (OSError, EOFError, paramiko.SSHException):
        pass  # the command ended without reading it, or the connection is gone: whoever reads the output finds out


def _read(channel: paramiko.Channel, stdout: bytearray, stderr: bytearray, deadline: float) -> None:
    """Read until both streams have ended and the exit code is there, or the deadline."""
    ready = select.poll()
    ready.register(channel.fileno(), select.POLLIN)
    heard = time.monotonic()
    while (left := seconds_left(deadline)) > 0:
        if channel.eof_received or channel.closed:
            channel.status_event.wait(min(left, _POLL_SECONDS))
        else:
            ready.poll(1000 * min(left, _POLL_SECONDS))
        if _drain(channel, stdout, stderr):
            heard = time.monotonic()
        elif channel.status_event.is_set():
            ended = channel.eof_received or channel.closed
            if ended or time.monotonic() - heard > QUIET_SECONDS:
                _drain(channel, stdout, stderr)
                return


def _drain(channel: paramiko.Channel, stdout: bytearray, stderr: bytearray) -> bool:
    """Take what has arrived; whether there was anything."""
    before = len(stdout) + len(stderr)
    while channel.recv_ready():
        stdout += channel.recv(_CHUNK)
    while channel.recv_stderr_ready():
        stderr += channel.recv_stderr(_CHUNK)
    if max(len(stdout), len(stderr)) > MAX_OUTPUT:
        raise TooMuchOutput
    return len(stdout) + len(stderr) > before

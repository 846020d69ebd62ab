"""Running programs of this computer.

With a deadline, all they started ended with them, and what they last printed.

A program runs in a session of its own, so that Ctrl-C reaches it only through here, in the order that it needs.
"""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from clusterlab.errors import ClusterlabError, DeadlineExceeded
from clusterlab.waiting import seconds_left

_LAST_LINES = 25
_END_SECONDS = 5.0  # for a killed program's output to end: something that it started may hold it open


@dataclass(frozen=True)
class Finished:
    """A program that ran to its end.

    Its exit code (-n after signal n), and what it printed.
    """

    exit: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Both streams, for people."""
        return "\n".join(part for part in (self.stdout.strip(), self.stderr.strip()) if part)


def run_program(
    command: Sequence[str],
    seconds: float,
    *,
    stdin: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    remedy: str = "",
) -> Finished:
    """Run a program to its end, whatever its exit code.

    Raises DeadlineExceeded after `seconds`, when the program and all of its process group have been killed;
    ClusterlabError when there is no such program.
    """
    with _started(command, cwd, env, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL) as process:
        try:
            out, errors = process.communicate(stdin.encode() or None, timeout=seconds)
        except subprocess.TimeoutExpired:
            kill_group(process)
            raise _late(command, f"did not end within {seconds:g} s", _rest(process), remedy) from None
    return Finished(process.returncode, _text(out), _text(errors))


def follow_program(
    command: Sequence[str],
    on_line: Callable[[str], None],
    *,
    silence: float,
    grace: float = 10.0,
    group: bool = True,
    stdout: IO[bytes] | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    remedy: str = "",
) -> int:
    """Run a program that reports its progress in lines, and return its exit code.

    `on_line` gets each line of both streams, or of standard error alone when `stdout` takes the other. When nothing
    comes for `silence` seconds, or this process is interrupted, the program is interrupted (with `group`, all of its
    process group), given `grace` seconds to clean up, and killed with all it started. Raises DeadlineExceeded then.
    """
    last: deque[str] = deque(maxlen=_LAST_LINES)
    with _started(command, cwd, env, stdout=stdout or subprocess.PIPE, merged=stdout is None) as process:
        stream = process.stderr if stdout else process.stdout
        assert stream is not None
        try:
            for line in _lines(stream.fileno(), silence):
                last.append(line)
                on_line(line)
            process.wait(timeout=silence)
        except (TimeoutError, subprocess.TimeoutExpired):
            _interrupt(process, grace, group)
            raise _late(command, f"printed nothing for {silence:g} s", "\n".join(last), remedy) from None
        except BaseException:
            _interrupt(process, grace, group)
            raise
    return process.returncode


@contextmanager
def _started(
    command: Sequence[str],
    cwd: Path | None,
    env: Mapping[str, str] | None,
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.PIPE,
    merged: bool = False,
) -> Iterator[subprocess.Popen[bytes]]:
    """The running program; it has ended when the block has, however that is left."""
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        if error.filename != command[0]:
            raise
        raise ClusterlabError(f"the program {command[0]} is not installed") from error
    try:
        yield process
    finally:
        if process.poll() is None:
            kill_group(process)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a program that leads a process group, with all of that group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _interrupt(process: subprocess.Popen[bytes], grace: float, group: bool) -> None:
    """Interrupt a program, and kill what remains of its process group.

    Once it has ended, or its time is up.
    """
    with suppress(ProcessLookupError):
        if group:
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGINT)
    descriptor = os.pidfd_open(process.pid)
    try:
        ended = select.poll()
        ended.register(descriptor, select.POLLIN)
        ended.poll(1000 * grace)  # it is not reaped yet: until then its group keeps its number
    finally:
        os.close(descriptor)
    kill_group(process)


def _lines(descriptor: int, silence: float) -> Iterator[str]:
    """The lines of a stream as they come.

    Raises TimeoutError when nothing comes for this long.
    """
    rest = b""
    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    deadline = time.monotonic() + silence
    while True:
        if not ready.poll(1000 * seconds_left(deadline)):
            raise TimeoutError
        data = os.read(descriptor, 1 << 16)
        if not data:
            break
        deadline = time.monotonic() + silence
        *lines, rest = (rest + data).split(b"\n")
        yield from map(_text, lines)
    if rest:
        yield _text(rest)


def _rest(process: subprocess.Popen[bytes]) -> str:
    """What a killed program had printed.

    What it started elsewhere may hold its output open.
    """
    try:
        parts = process.communicate(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired as late:
        parts = (late.output or b"", late.stderr or b"")
    lines = [line for part in parts for line in _text(part).splitlines() if line.strip()]
    return "\n".join(lines[-_LAST_LINES:])


def _late(command: Sequence[str], what: str, last: str, remedy: str) -> DeadlineExceeded:
    printed = last.strip() or "(it had printed nothing)"
    shown = shlex.join(command)
    shown = shown if len(shown) <= 120 else f"{shown[:120]} ..."
    return DeadlineExceeded(f"`{shown}` {what}, and was ended", remedy=remedy, detail=printed)


def _text(data: bytes) -> str:
    return data.decode(errors="replace")

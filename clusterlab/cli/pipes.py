"""Output to a pipe whose reader has gone (`| head`): it is dropped, and the work goes on to its exit code."""

from __future__ import annotations

import io
import os
import stat
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer


class _Dropping(io.FileIO):
    """A file that drops what nobody reads any more."""

    def write(self, data: Buffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def bear_closed_pipes() -> None:
    """Let standard output and standard error bear a closed pipe from here on."""
    sys.stdout = _bearing(sys.stdout)
    sys.stderr = _bearing(sys.stderr)


def _bearing(stream: TextIO) -> TextIO:
    try:
        descriptor = stream.fileno()
        mode = os.fstat(descriptor).st_mode
    except (OSError, ValueError):  # not a file: a test's, say
        return stream
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return stream
    stream.flush()
    file = io.BufferedWriter(_Dropping(descriptor, "w", closefd=False))
    return io.TextIOWrapper(
        file, encoding=stream.encoding, errors=stream.errors, line_buffering=stream is sys.__stderr__
    )

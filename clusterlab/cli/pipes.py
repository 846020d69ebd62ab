"""Standard output and standard error, whatever is behind them.

A closed pipe, a full disk, or nothing at all.

Output to a pipe whose reader has gone (`| head`), or to a stream that is closed (`>&-`), is dropped, and the work goes
on to its exit code. Standard output that cannot be written for another reason is an error.
"""

from __future__ import annotations

import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

from clusterlab.errors import ClusterlabError

if TYPE_CHECKING:
    from typing_extensions import Buffer


class _Output(io.FileIO):
    """A file that ignores a closed pipe, and reports once that it cannot be written.

    `lossy` is for standard error: where its messages cannot be written, there is nowhere to say so.
    """

    def __init__(self, descriptor: int, lossy: bool) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._lossy = lossy
        self._failed = False

    def write(self, data: Buffer, /) -> int:
        size = memoryview(data).nbytes
        if self._failed:  # what is still buffered then is lost too
            return size
        try:
            return super().write(data)
        except BrokenPipeError:
            return size
        except OSError as error:
            self._failed = True
            if self._lossy:
                return size
            raise ClusterlabError(
                f"cannot write the output: {error.strerror}", remedy="Send it elsewhere, or free space there."
            ) from error


def guard_output() -> None:
    """Let standard output and standard error bear what is behind them from here on.

    Writing to standard output, or flushing it, then raises ClusterlabError where it would raise OSError.
    """
    if sys.stdout is sys.__stdout__:  # otherwise it is a test's
        sys.stdout = _guarded(sys.__stdout__, lossy=False)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _guarded(sys.__stderr__, lossy=True)


def is_read(stream: TextIO) -> bool:
    """Whether somebody may still read what is written: false once the other end of a pipe is closed."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
    except (OSError, ValueError):  # it is not a file, as in a test
        return True
    return not any(event & select.POLLERR for _, event in poll.poll(0))


def _guarded(stream: TextIO | None, lossy: bool) -> TextIO:
    if stream is None:
        return open(os.devnull, "w")
    if stream.isatty():
        return stream
    stream.flush()
    file = io.BufferedWriter(_Output(stream.fileno(), lossy))
    lines = bool(stream.line_buffering)
    return io.TextIOWrapper(file, encoding=stream.encoding, errors=stream.errors, line_buffering=lines)

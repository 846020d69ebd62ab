"""Make sure that machines stopped for saving resume.

Even when the command that stopped them is interrupted or killed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.waiting import wait_until

from .qmp import Monitor, monitor

_ENDED = ("none", "completed", "failed", "cancelled")
_WITHIN = 60.0


def run_on(qemu: Monitor) -> None:
    """Let a machine run on, whether saving it has ended or not."""
    qemu.execute("migrate_cancel")
    ended = lambda: qemu.execute("query-migrate").get("status", "none") in _ENDED  # noqa: E731
    wait_until(ended, "QEMU to end the saving of a machine", _WITHIN)
    qemu.execute("cont")


@contextmanager
def watched(folders: Sequence[Path]) -> Iterator[Callable[[], None]]:
    """While the block runs, another process waits to let the machines in `folders` run on.

    The block calls what it gets once it has resumed all of them. If it ends without that, or this process does, the
    other one resumes them. It needs their monitors: the block must have closed its own.
    """
    command = [sys.executable, "-m", __name__, *map(str, folders)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as watcher:
        try:
            yield lambda: _say_done(watcher)
        finally:
            watcher.communicate()  # its input ends: without the word, it resumes the machines


def _say_done(watcher: subprocess.Popen[bytes]) -> None:
    watcher.communicate(b"done")


def _watch(folders: Sequence[Path]) -> None:
    if sys.stdin.read() == "done":
        return
    for folder in folders:
        try:
            with monitor(folder, timeout=_WITHIN) as qemu:
                run_on(qemu)
        except (OSError, ClusterlabError):  # that one has ended; the others are to run on
            continue


if __name__ == "__main__":
    _watch([Path(argument) for argument in sys.argv[1:]])

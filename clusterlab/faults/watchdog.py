"""The dead-man switch for what is done to machines from outside: a second process that heals when this one ends.

It waits for the word that all is healed. When its input ends without that, because the command was killed, or when the
time is up, it heals the fault itself, from the record in the lab's state.
"""

from __future__ import annotations

import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from clusterlab.machines.lab_lock import LabBusy
from clusterlab.machines.state import LabState
from clusterlab.waiting import wait_until

_DONE = b"done"
_LOCK_SECONDS = 900.0


@contextmanager
def watched(lab: str, fault: str, seconds: float) -> Iterator[None]:
    """While the block runs, another process heals the fault if this one is killed, or after `seconds`."""
    command = [sys.executable, "-m", __name__, lab, fault, f"{seconds:g}"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as watcher:
        assert watcher.stdin is not None
        try:
            yield
        finally:
            if watcher.poll() is None:
                watcher.stdin.write(_DONE)
                watcher.stdin.flush()


def _watch(lab: str, fault: str, seconds: float) -> None:
    from .heal import undo_outside
    from .record import recorded

    ended, _, _ = select.select([sys.stdin], [], [], seconds)
    if ended and sys.stdin.buffer.read(len(_DONE)) == _DONE:
        return
    for record in recorded(lab):
        if record.id != fault:
            continue
        if not ended:  # the command still holds the lab, and finds that its fault ended early
            undo_outside(lab, record.outside)
            return
        with _locked(lab):
            undo_outside(lab, record.outside)


@contextmanager
def _locked(lab: str) -> Iterator[None]:
    """The lab's lock; a `heal` that holds it does the same meanwhile."""
    held = []

    def acquired() -> bool:
        context = LabState(lab).lock("heal")
        try:
            context.__enter__()
        except LabBusy:
            return False
        held.append(context)
        return True

    wait_until(acquired, "the lab's lock", _LOCK_SECONDS)
    try:
        yield
    finally:
        held[0].__exit__(None, None, None)


if __name__ == "__main__":
    _watch(sys.argv[1], sys.argv[2], float(sys.argv[3]))

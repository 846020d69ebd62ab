"""The dead-man switch for what is done to machines from outside.

A second process that heals when this one ends.

It does what is done again and again (`clusterlab.faults.flapping`), and waits for a word. When its input ends without
one, because the command was killed, or when the time is up, it undoes the fault, from the record in the lab's state.
"""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
import time

from clusterlab.machines.lab_lock import LabBusy
from clusterlab.machines.state import LabState
from clusterlab.waiting import wait_until

from .flapping import Flapping

_DONE, _STAY = b"done", b"stay"
_LOCK_SECONDS = 900.0
_END_SECONDS = 60.0  # for an operation on a machine that is under way


class Watchdog:
    """Another process, from now on.

    It undoes the fault if this one is killed, or after `seconds`.
    """

    def __init__(self, lab: str, fault: str, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, lab, fault, f"{seconds:g}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def ended(self) -> bool:
        """Whether its time is up: it undoes the fault now, or has done so."""
        return time.monotonic() >= self._deadline

    def end(self) -> None:
        """All is healed: what the other process still does about it, because its time was up, is not needed."""
        self._say(_DONE)
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def stay(self) -> None:
        """End this process without healing; the fault stays until its time is up.

        Or until somebody heals it.
        """
        self._say(_STAY)

    def _say(self, word: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # its time was up
            self._process.stdin.write(word)
            self._process.stdin.close()


def _watch(lab: str, fault: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    flapping = Flapping(lab, fault)
    ended, _, _ = select.select([sys.stdin], [], [], seconds)
    word = sys.stdin.buffer.read(len(_DONE)) if ended else b""
    if word == _DONE:
        return
    if word == _STAY:
        while time.monotonic() < deadline:
            if not _is_recorded(lab, fault):
                return  # somebody healed it; the lab's lock is somebody else's now
            time.sleep(1.0)
    flapping.stop()
    if ended:
        _heal_alone(lab, fault)
    else:  # the command still holds the lab: it finds that its fault ended early
        _heal(lab, fault)


def _is_recorded(lab: str, fault: str) -> bool:
    from .record import recorded

    return any(record.id == fault for record in recorded(lab))


def _heal(lab: str, fault: str) -> None:
    from clusterlab.machines import recall_machines
    from clusterlab.machines.outside import Outside

    from .heal import undo_outside
    from .record import recorded

    for record in recorded(lab):
        if record.id == fault:
            outside: Outside = getattr(recall_machines(lab), "outside")  # noqa: B009
            undo_outside(outside, record)


def _heal_alone(lab: str, fault: str) -> None:
    """Heal it once nobody else works on the lab; `heal` may have done so by then."""

    def healed() -> bool:
        try:
            with LabState(lab).lock("heal"):
                _heal(lab, fault)
        except LabBusy:
            return False
        return True

    wait_until(healed, "the lab's lock", _LOCK_SECONDS)


if __name__ == "__main__":
    _watch(sys.argv[1], sys.argv[2], float(sys.argv[3]))

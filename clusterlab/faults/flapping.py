"""What is done to machines again and again, as a loose cable does.

The watchdog does it, until somebody begins to heal.

Whoever heals ends it first (`end_flaps`), so that nothing is done any more once it is undone: it is done under a lock
of the lab's flaps, and only while the lab's record has them.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from clusterlab.errors import ClusterlabError
from clusterlab.machines import recall_machines
from clusterlab.machines.outside import UNDO, Operation, Outside
from clusterlab.machines.state import LabState

from .record import FaultRecord, recorded, remember


class Flapping:
    """The flaps of one fault, from now on; without any, nothing happens."""

    def __init__(self, lab: str, fault: str) -> None:
        self._lab, self._fault = lab, fault
        self._stop = threading.Event()
        record = self._record()
        flaps = {} if record is None else record.flaps
        self._threads = [threading.Thread(target=self._flap, args=(host,), daemon=True) for host in flaps]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Do nothing more; what is done last is not undone."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _flap(self, host: str) -> None:
        outside: Outside = getattr(recall_machines(self._lab), "outside")  # noqa: B009
        done = False
        while True:
            with _guard(self._lab):
                record = self._record()
                if self._stop.is_set() or record is None or host not in record.flaps:
                    return
                operation: Operation = record.outside[host]
                outside.carry_out(host, UNDO[operation] if done else operation)
                done = not done
                down, up = record.flaps[host]
            self._stop.wait(down if done else up)

    def _record(self) -> FaultRecord | None:
        try:
            return next((one for one in recorded(self._lab) if one.id == self._fault), None)
        except ClusterlabError:
            return None  # nothing is done that cannot be healed from the record


def end_flaps(lab: str, records: Iterable[FaultRecord]) -> None:
    """End the flaps of faults that are about to be healed, whoever is at them."""
    flapping = [one for one in records if one.flaps]
    if flapping:
        with _guard(lab):
            for one in flapping:
                remember(lab, one.model_copy(update={"flaps": {}}))


@contextmanager
def _guard(lab: str) -> Iterator[None]:
    with (LabState(lab).folder / "flaps.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

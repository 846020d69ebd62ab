"""Keeping other commands off a lab.

Those of this workstation, and those of others on hosts that they can reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from clusterlab.errors import DeadlineExceeded
from clusterlab.machines import Machines
from clusterlab.machines.lab_lock import LabBusy
from clusterlab.machines.state import LabState
from clusterlab.model import Lab
from clusterlab.progress import Progress
from clusterlab.remote import Hosts
from clusterlab.waiting import wait_until

from .host_locks import HostLocks
from .lock import Exclusive, Lock


@contextmanager
def lab_lock(name: str, lock: Lock, progress: Progress, wait: float = 0.0) -> Iterator[None]:
    """Keep this workstation's other commands off a lab.

    Raises LabBusy naming the one that is at work on it.

    `wait` is how many seconds to wait until that one has ended.
    """
    with ExitStack() as held:
        if isinstance(lock, Exclusive):
            _acquire(lambda: held.enter_context(LabState(name).lock(lock.verb)), progress, wait)
        yield


@contextmanager
def hosts_lock(
    lab: Lab, machines: Machines, hosts: Hosts, lock: Lock, progress: Progress, wait: float = 0.0
) -> Iterator[None]:
    """Keep other workstations off hosts that they can reach too.

    Raises LabBusy naming who is at work there.

    The lock is on the hosts themselves. Machines that belong to this workstation alone need none.
    """
    with ExitStack() as held:
        if isinstance(lock, Exclusive) and machines.kind.foreign:
            locks = HostLocks(hosts, lab.name, lock.verb, progress)
            _acquire(lambda: held.enter_context(locks), progress, wait)
        yield


def _acquire(enter: Callable[[], object], progress: Progress, wait: float) -> None:
    busy: list[LabBusy] = []

    def acquired() -> bool:
        try:
            enter()
        except LabBusy as error:
            if wait and not busy:
                progress.say("lock", f"waiting up to {wait:g} s: {error.message}")
            busy[:] = [error]
            return False
        return True

    try:
        wait_until(acquired, "the lab's lock", wait)
    except DeadlineExceeded:
        raise busy[0] from None

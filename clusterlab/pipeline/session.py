"""One lab, open for one command.

Its machines, its hosts, and the locks that the command needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from clusterlab.capabilities import Capabilities
from clusterlab.errors import ClusterlabError
from clusterlab.faults.record import refuse_while_recorded
from clusterlab.machines import Machines, open_machines
from clusterlab.model import Lab
from clusterlab.progress import Progress
from clusterlab.remote import Hosts
from clusterlab.remote.target import Target

from .claim import claim
from .host_owner import refuse_other_owners
from .lock import Exclusive, Lock
from .locking import hosts_lock, lab_lock


@dataclass
class Session:
    """One command's view of a lab.

    Connections are opened when first used and closed with the session.
    """

    lab: Lab
    progress: Progress
    lock: Lock
    wait: float = 0.0
    """Seconds to wait for another command that is at work on the hosts."""
    heals: bool = False
    """Whether the command heals faults, and must work with engines that do not answer."""
    _closing: ExitStack = field(default_factory=ExitStack)
    _unasked: frozenset[str] | None = None  # Docker hosts that have not said whose the lab is; None: all of them
    _refused: ClusterlabError | None = None

    @cached_property
    def machines(self) -> Machines:
        return open_machines(self.lab)

    @property
    def hosts(self) -> Hosts:
        """The lab's hosts, locked if they are somebody else's and the command needs that.

        Raises ClusterlabError when the machines are not up, or when another workstation has a lab of this name on
        them, LabBusy when another workstation is at work on them.
        """
        if self._refused is not None:
            raise self._refused
        return self._connected

    @cached_property
    def _connected(self) -> Hosts:
        return self._connect(self.machines.targets())

    def connect(self, targets: Mapping[str, Target]) -> Hosts:
        """Connect to machines that do not count as made yet; from now on these are `hosts`."""
        self._connected = self._connect(targets)
        return self._connected

    def _connect(self, targets: Mapping[str, Target]) -> Hosts:
        with ExitStack() as opened:  # whoever is refused keeps nobody off, itself included when it asks again
            hosts = opened.enter_context(Hosts(targets))
            opened.enter_context(hosts_lock(self.lab, self.machines, hosts, self.lock, self.progress, self.wait))
            if isinstance(self.lock, Exclusive):
                self._refuse_other_owners(hosts)
            self._closing.enter_context(opened.pop_all())
        return hosts

    def disconnect(self) -> None:
        """Forget the connections: the machines are others now, and are connected to when they are asked."""
        self.__dict__.pop("_connected", None)

    def refuse_other_owners(self) -> None:
        """Ask whose the lab is, if a host has not said it so far, because its engine did not run, say.

        Raises ClusterlabError when another workstation has a lab of this name on them: then nothing else is done there.
        """
        hosts = self.hosts
        try:
            self._refuse_other_owners(hosts)
        except ClusterlabError as error:
            self._refused = error
            raise

    def _refuse_other_owners(self, hosts: Hosts) -> None:
        if self.machines.kind.foreign and not self.lab.inventory.shared and self._unasked != frozenset():
            silent = refuse_other_owners(self.lab.name, hosts, heals=self.heals)
            self._unasked = silent & frozenset(self.lab.inventory.docker_hosts)

    @property
    def reached(self) -> bool:
        """Whether connections to the hosts have been asked for."""
        return "_connected" in self.__dict__

    @cached_property
    def unsupported(self) -> Capabilities:
        """Capabilities that hosts lack, with the reasons."""
        return self.machines.unsupported()

    def counts(self) -> dict[str, dict[str, int]]:
        """Connections, commands and API requests of this command so far, per host."""
        return {name: dict(self._connected[name].counts) for name in self.lab.inventory.hosts}


@contextmanager
def open_session(
    lab: Lab, progress: Progress, lock: Lock, wait: float = 0.0, *, moved: bool = False, heals: bool = False
) -> Iterator[Session]:
    """Open a lab for one command, under the lock that the command declares.

    `wait` is for how many seconds to wait for another command that is at work on it; `moved` says that the lab's folder
    was moved here, `heals` that the command heals faults: others are refused while one is recorded. Raises LabBusy, and
    ClusterlabError when the lab belongs to another checkout or user, or has a fault.
    """
    with ExitStack() as stack:
        stack.enter_context(lab_lock(lab.name, lock, progress, wait))
        claim(lab, write=isinstance(lock, Exclusive), moved=moved)
        if isinstance(lock, Exclusive) and not heals:
            refuse_while_recorded(lab.name)
        yield Session(lab, progress, lock, wait, heals, stack)

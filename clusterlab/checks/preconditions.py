"""What must be true before a statement about a cluster can be proven.

One object per precondition.

Facts in, verdict out: an object knows the hosts whose facts it needs, and says what is wrong in one line, with a
stable code and a remedy. It asks nothing itself, so anything that gathers facts can use it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from clusterlab.model.inventory import Availability
from clusterlab.results import Cause

from .facts import Facts

_EXITED = re.compile(r"Exited \((\d+)\)")
_PASSING = ("Created", "Restarting", "Removal")


@dataclass(frozen=True)
class Failure:
    """A precondition that is not met.

    `passing` when it may be met soon by itself, so that waiting is worth it.
    """

    cause: Cause
    passing: bool = False


class Precondition(Protocol):
    """Something that must be true; equal ones are one."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts whose facts it is judged by."""

    def failure(self, facts: Mapping[str, Facts]) -> Failure | None:
        """What is wrong, or None.

        The most basic cause, so that what follows from it is not reported as another.
        """


@dataclass(frozen=True)
class HostReachable:
    """Commands run on a host."""

    host: str

    @property
    def hosts(self) -> tuple[str, ...]:
        return (self.host,)

    def failure(self, facts: Mapping[str, Facts]) -> Failure | None:
        why = facts[self.host].unreachable
        return Failure(Cause("host-unreachable", self.host, why, f"clusterlab ssh {self.host}")) if why else None


@dataclass(frozen=True)
class EngineAnswers:
    """The Docker engine of a host answers."""

    host: str

    @property
    def hosts(self) -> tuple[str, ...]:
        return (self.host,)

    def failure(self, facts: Mapping[str, Facts]) -> Failure | None:
        found = facts[self.host]
        if found.unreachable:
            return HostReachable(self.host).failure(facts)
        if not found.engine_down:
            return None
        code, see = ("engine-silent", "journalctl -u") if found.engine_silent else ("engine-down", "systemctl start")
        remedy = f"clusterlab ssh {self.host} -- {see} docker"
        return Failure(Cause(code, self.host, found.engine_down, remedy))


@dataclass(frozen=True)
class ContainerRuns:
    """A container runs; `external` when clusterlab did not create it."""

    host: str
    container: str
    external: bool = False

    @property
    def hosts(self) -> tuple[str, ...]:
        return (self.host,)

    def failure(self, facts: Mapping[str, Facts]) -> Failure | None:
        found = facts[self.host]
        if not found.answers:
            return EngineAnswers(self.host).failure(facts)
        subject = f"container {self.container} on {self.host}"
        status = found.containers.get(self.container, "")
        if not status:
            remedy = f"clusterlab ssh {self.host} -- docker ps --all" if self.external else "clusterlab apply"
            return Failure(Cause("container-missing", subject, "there is no such container", remedy))
        if status.endswith("(Paused)"):
            remedy = f"clusterlab ssh {self.host} -- docker unpause {self.container}"
            return Failure(Cause("container-paused", subject, "it is paused", remedy))
        if status.startswith("Up"):
            return None
        exited = _EXITED.match(status)
        summary = f"it is not running: {f'exited ({exited[1]})' if exited else status.split(' ')[0].lower()}"
        passing = status.startswith(_PASSING)
        start = f"clusterlab ssh {self.host} -- docker start {self.container}"
        remedy = start if self.external else "clusterlab apply"
        return Failure(Cause("container-stopped", subject, summary, remedy), passing)


@dataclass(frozen=True)
class ManagerAnswers:
    """An active manager of the Swarm answers: any of them."""

    managers: tuple[str, ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        return self.managers

    def failure(self, facts: Mapping[str, Facts]) -> Failure | None:
        if any(facts[host].nodes is not None for host in self.managers):
            return None
        for host in self.managers:
            if failure := EngineAnswers(host).failure(facts):
                return failure
        first = self.managers[0]
        state = str(facts[first].swarm.get("LocalNodeState") or "inactive")
        if state != "active":
            return Failure(Cause("swarm-inactive", first, f"it is not in a Swarm ({state})", "clusterlab provision"))
        summary = "no manager of the Swarm answers: a majority of them may be gone"
        return Failure(Cause("swarm-no-leader", first, summary, f"clusterlab ssh {first} -- docker node ls"))


@dataclass(frozen=True)
class ManagerAtWork:
    """A host manages the Swarm: its engine answers, and it knows the nodes."""

    host: str

    @property
    def hosts(self) -> tuple[str, ...]:
        return (self.host,)

    def failure(self, facts: Mapping[str, Facts]) -> Failure | None:
        if facts[self.host].nodes is not None:
            return None
        if basic := InSwarm(self.host).failure(facts):
            return basic
        summary = "its engine is in the Swarm, but does not answer as a manager"
        return Failure(
            Cause("manager-not-at-work", self.host, summary, f"clusterlab ssh {self.host} -- docker node ls")
        )


@dataclass(frozen=True)
class InSwarm:
    """A host's engine is in a Swarm."""

    host: str

    @property
    def hosts(self) -> tuple[str, ...]:
        return (self.host,)

    def failure(self, facts: Mapping[str, Facts]) -> Failure | None:
        if not facts[self.host].answers:
            return EngineAnswers(self.host).failure(facts)
        state = str(facts[self.host].swarm.get("LocalNodeState") or "inactive")
        if state == "active":
            return None
        cause = Cause("swarm-inactive", self.host, f"it is not in a Swarm ({state})", "clusterlab provision")
        return Failure(cause, passing=state == "pending")


@dataclass(frozen=True)
class NodeAvailable:
    """The managers see a node as ready, and give it tasks unless it is to get none.

    What the inventory states counts; where it states nothing, a node is active in a Swarm that was initialised for the
    lab, and as its owner left it in another one.
    """

    host: str
    address: str
    managers: tuple[str, ...]
    lab: str
    availability: Availability | None = None  # by the inventory

    @property
    def hosts(self) -> tuple[str, ...]:
        return (self.host, *self.managers)

    def failure(self, facts: Mapping[str, Facts]) -> Failure | None:
        basic = InSwarm(self.host).failure(facts) or ManagerAnswers(self.managers).failure(facts)
        if basic:
            return basic
        manager = next(facts[host] for host in self.managers if facts[host].nodes is not None)
        node = (manager.nodes or {}).get(self.address)
        if node is None:
            summary = f"the managers have no node at {self.address}"
            return Failure(Cause("node-missing", self.host, summary, "clusterlab provision"))
        if node.state != "ready":
            remedy = f"clusterlab ssh {self.host} -- journalctl -u docker"
            cause = Cause("node-down", self.host, f"the managers see its node as {node.state}", remedy)
            return Failure(cause, passing=node.state == "unknown")  # as a new leader sees all until they report to it
        wanted = self.availability or ("active" if manager.made_for == self.lab else node.availability)
        if node.availability not in (wanted, "active"):
            code, word = ("node-drained", "drained") if node.availability == "drain" else ("node-paused", "paused")
            remedy = f"docker node update --availability active {self.host}"
            return Failure(Cause(code, self.host, f"its node is {word}: it gets no tasks", remedy))
        return None


@dataclass(frozen=True)
class ServiceRuns:
    """A service exists and has a running task, if it should have any.

    `external` when clusterlab did not create it.
    """

    service: str
    managers: tuple[str, ...]
    external: bool = False

    @property
    def hosts(self) -> tuple[str, ...]:
        return self.managers

    def failure(self, facts: Mapping[str, Facts]) -> Failure | None:
        if basic := ManagerAnswers(self.managers).failure(facts):
            return basic
        services = next(facts[host].services for host in self.managers if facts[host].nodes is not None)
        subject = f"service {self.service}"
        if self.service not in services:
            remedy = "docker service ls" if self.external else "clusterlab apply"
            return Failure(Cause("service-missing", subject, "there is no such service", remedy))
        running, desired = services[self.service]
        if running or not desired:
            return None
        summary = f"none of its {desired} tasks runs"
        remedy = f"docker service ps --no-trunc {self.service}"
        return Failure(Cause("service-down", subject, summary, remedy), passing=True)


@dataclass(frozen=True)
class NfsServerAnswers:
    """Something listens on the port of NFS of a server."""

    host: str

    @property
    def hosts(self) -> tuple[str, ...]:
        return (self.host,)

    def failure(self, facts: Mapping[str, Facts]) -> Failure | None:
        if basic := HostReachable(self.host).failure(facts):
            return basic
        if facts[self.host].nfs_listens is not False:
            return None
        remedy = f"clusterlab ssh {self.host} -- systemctl start nfs-server"
        return Failure(Cause("nfs-server-down", self.host, "nothing listens on port 2049", remedy))

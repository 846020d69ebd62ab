"""The drills that any stack gets.

Whatever can be lost is lost once, and each service must come back by itself.

Each is a `Drill` as a play could have it. A service is available while a task of it runs, healthy if it has a health
check; a published port, while it accepts connections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clusterlab.capabilities import Capabilities
from clusterlab.errors import UsageError
from clusterlab.faults import safety
from clusterlab.faults.kinds import FAULTS
from clusterlab.model import Lab
from clusterlab.model.drills import Drill
from clusterlab.model.groups import ACTIVE_NODE
from clusterlab.stacks.advice.volumes import REMOTE_TYPES
from clusterlab.stacks.stack import Port, Service, Stack

from .plan import DrillPlan, plans

LASTS = 90.0
"""Seconds for which a machine has no power.

A node is Down after 17 s, and its tasks run elsewhere after 35 s.
"""
_SHORT = 60.0  # of what a Swarm makes good at once
_REBOOT = 30.0  # without power, of a server that comes back
_PATIENCE = 60.0
_NO_PROBER_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class StackDrill:
    """A drill of a stack; `when` completes "the database is away when".

    `host` is what is taken away.
    """

    plan: DrillPlan
    stack: Stack
    when: str
    host: str = ""


def stack_drills(lab: Lab, play: str, unsupported: Capabilities, lasts: float = LASTS) -> list[StackDrill]:
    """The drills of a stack on a lab.

    Raises UsageError when it has no service that stays.
    """
    stack = lab.stacks[play].valid()
    if not lasting(stack):
        raise UsageError(f"{play}: the stack has no service whose tasks stay")
    return list(_Drills(lab, play, stack, unsupported, lasts).all())


def label(service: str) -> str:
    """The label of what is measured of a service's tasks."""
    return f"{prober_name(service)} anywhere"


def lasting(stack: Stack) -> list[Service]:
    return [one for one in stack.services.values() if not one.is_job and one.tasks != 0]


def prober_name(service: str) -> str:
    return _NO_PROBER_NAME.sub("-", service.lower()).strip("-") or "service"


@dataclass(frozen=True)
class _Drills:
    lab: Lab
    play: str
    stack: Stack
    unsupported: Capabilities
    lasts: float

    def all(self) -> Iterator[StackDrill]:
        """Each worker, each service, the NFS server, each node drained, the leader."""
        inventory = self.lab.inventory
        managers = inventory.with_role("swarm_manager")
        for host in inventory.with_role("swarm_worker"):
            yield self._drill(*self._lost(host, f"{host} is lost"), self.lasts, host)
        for service in lasting(self.stack):
            fault = {"kill_task": {"service": self.stack.scoped(service.name)}}
            title = f"a task of {service.name} is killed"
            yield self._drill(title, title, fault, min(self.lasts, _SHORT))
        for host in self._servers():
            title = f"{host}, which serves NFS, is rebooted"
            yield self._drill(title, f"{host} is rebooted", {"power_off": {"host": host}}, _REBOOT, host)
        for host in self.lab.expand([ACTIVE_NODE]):
            title = f"{host} is drained"
            yield self._drill(title, title, {"drain_node": {"host": host}}, min(self.lasts, _SHORT), host)
        if len(managers) == 1:
            when = f"{managers[0]} is lost, the only manager"
            yield self._drill(*self._lost(managers[0], when, blast=2), self.lasts, managers[0])
        elif managers:
            yield self._drill(*self._lost("leader", "the leader of the Swarm is lost"), self.lasts)

    def _lost(self, target: str, when: str, **more: int) -> tuple[str, str, dict[str, Any]]:
        """Title, when, and the fault.

        Without power, or without its engine where that cannot be.
        """
        inventory = self.lab.inventory
        kind = FAULTS["power_off"]
        name = "stop_engine" if kind.reason(inventory.kind) or safety.allowed(kind, inventory) else "power_off"
        what = when.replace("is lost", "loses power" if name == "power_off" else "loses its engine")
        return what, when, {name: {"host": target, **more}}

    def _drill(self, title: str, when: str, fault: Mapping[str, Any], lasts: float, host: str = "") -> StackDrill:
        ((name, params),) = fault.items()
        within = min(_PATIENCE, lasts * 2 / 3)
        probers: dict[str, Any] = {}
        during: list[dict[str, Any]] = []
        for service in lasting(self.stack):
            prober = prober_name(service.name)
            probers[prober] = {
                "task": self.stack.scoped(service.name),
                "from": self.lab.inventory.docker_hosts,
                "every": "1s",
                "timeout": "2s",
            }
            during.append({"prober": prober, "expect": "holds", "within": within})
            if port := self._port(service):
                probers[f"{prober}-port"] = self._asks(port, host)
                during.append({"prober": f"{prober}-port", "expect": "holds", "within": within, "at": "any"})
        drill = Drill.model_validate(
            {
                "title": title,
                "probers": probers,
                "during": during,
                "faults": [{name: {**params, "lasts": lasts}}],
                "steady": min(15.0, lasts),
                "recovers": 180.0,
            }
        )
        (plan,) = plans(self.lab, self.play, drill)
        return StackDrill(plan, self.stack, when, host)

    def _port(self, service: Service) -> Port | None:
        """The first TCP port that a service publishes, where the nodes can publish it."""
        hosts = self.lab.inventory.docker_hosts
        for port in service.ports:
            mesh = port.mode != "host"
            if (
                port.published
                and port.protocol in ("", "tcp")
                and not (mesh and self.unsupported.without("ipvs", hosts))
            ):
                return port
        return None

    def _asks(self, port: Port, host: str) -> dict[str, Any]:
        """A client on a host that stays, which tries all nodes."""
        hosts = self.lab.inventory.hosts
        docker = self.lab.inventory.docker_hosts
        staying = [name for name in (*(one for one in hosts if one not in docker), *docker) if name != host]
        return {
            "tcp": {"port": port.published, "at": docker},
            "from": staying[:1] or [host],
            "every": "1s",
            "timeout": "2s",
            "anywhere": True,
        }

    def _servers(self) -> list[str]:
        """The hosts of the lab that serve volumes of the stack over NFS."""
        found = []
        for name in self.lab.inventory.with_role("nfs_server"):
            known = {name, str(self.lab.inventory.hosts[name].address)}
            if any(known & set(servers(self.stack, key)) for key in self.stack.volumes):
                found.append(name)
        return found


def servers(stack: Stack, volume: str) -> list[str]:
    """The file servers that the options of a volume name."""
    options = stack.volumes[volume].driver_opts or {}
    if "type" not in options or options["type"].value not in REMOTE_TYPES or "o" not in options:
        return []
    values = options["o"].value.split(",")
    return [one.partition("=")[2] for one in values if one.startswith("addr=")]

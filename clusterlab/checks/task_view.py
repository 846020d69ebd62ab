"""What the managers report of a service.

All of its tasks, also those that have ended, and the nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from clusterlab.resources.swarm_nodes import address, list_nodes
from clusterlab.stacks.constraints import Node, parse_constraint

from .finding import Finding, finding
from .places import Places

SHOWN = 3
"""Errors of tasks in a sentence."""
_ENDED = ("complete", "failed", "rejected")


class TaskView:
    """The tasks of a service by their node's host, and the nodes, at one moment."""

    def __init__(self, service: str, places: Places, report: Mapping[str, Any]) -> None:
        by_address = {str(host.address): name for name, host in places.lab.inventory.hosts.items()}
        self.service, self.places, self.report = service, places, report
        self.manager, (listed, self.tasks, self.now) = places.ask_manager(self._read)
        self.nodes = {str(node["ID"]): node for node in listed}
        self.hosts = {
            key: by_address.get(address(node), str(node["Description"]["Hostname"])) for key, node in self.nodes.items()
        }

    def _read(self, manager: str) -> tuple[Sequence[Mapping[str, Any]], list[Mapping[str, Any]], float]:
        """The nodes, the tasks, and the time there, all of one manager."""
        nodes = list_nodes(self.places.hosts[manager])
        with self.places.engine(manager) as engine:
            tasks = engine.tasks(filters={"service": str(self.report["ID"])})  # type: ignore[no-untyped-call]
            return nodes, tasks, time_of(engine.info()["SystemTime"])

    @property
    def wanted(self) -> list[Mapping[str, Any]]:
        """The tasks that are to run."""
        return [task for task in self.tasks if task["DesiredState"] == "running"]

    @property
    def running(self) -> list[Mapping[str, Any]]:
        return [task for task in self.wanted if task["Status"]["State"] == "running"]

    def host(self, task: Mapping[str, Any]) -> str:
        return self.hosts.get(str(task.get("NodeID")), "no node")

    def matching(self, constraints: Sequence[str]) -> list[str]:
        """The active nodes that match constraints, by their host."""
        parsed = [parse_constraint(text) for text in constraints]
        return sorted(
            self.hosts[key]
            for key, node in self.nodes.items()
            if node["Status"]["State"] == "ready"
            and node["Spec"]["Availability"] == "active"
            and all(one.matches(as_node(node)) for one in parsed)
        )

    def finding(self, holds: bool, wanted: str, found: str, hint: str = "") -> Finding:
        name = self.service
        command = f"docker service ps --no-trunc {name}"
        lines = [f"{name_of(task)} on {self.host(task)}: {state_of(task)}" for task in self.tasks]
        return finding(
            self.manager,
            command,
            holds=holds,
            wanted=wanted,
            found=found,
            output="\n".join(sorted(lines)),
            hint=hint or f"`{command}` shows every task with its error",
        )


def as_node(report: Mapping[str, Any]) -> Node:
    """What constraints ask of a node, from what a manager reports of it."""
    platform = report["Description"].get("Platform") or {}
    engine = report["Description"].get("Engine") or {}
    return Node(
        id=str(report["ID"]),
        hostname=str(report["Description"]["Hostname"]),
        address=str(report["Status"].get("Addr", "")),
        role=str(report["Spec"]["Role"]),
        os=str(platform.get("OS", "")),
        arch=str(platform.get("Architecture", "")),
        labels=report["Spec"].get("Labels") or {},
        engine_labels=engine.get("Labels") or {},
    )


def constraints_of(report: Mapping[str, Any]) -> list[str]:
    placement = report["Spec"]["TaskTemplate"].get("Placement") or {}
    return list(placement.get("Constraints") or [])


def why_not(seen: TaskView) -> str:
    """What tasks that do not run say of themselves, as the end of a sentence."""
    tasks = sorted(seen.tasks, key=lambda task: str(task["Status"].get("Timestamp", "")), reverse=True)
    states = [state_of(task) for task in tasks if task["Status"]["State"] != "running" and task["Status"].get("Err")]
    return "".join(f"; {state}" for state in list(dict.fromkeys(states))[:SHOWN])


def has_failed(task: Mapping[str, Any]) -> bool:
    """Whether a task has ended by itself, for a service that is to go on running."""
    return task["Status"]["State"] in _ENDED


def name_of(task: Mapping[str, Any]) -> str:
    return f"task {task.get('Slot') or str(task.get('NodeID', ''))[:12] or task['ID'][:12]}"


def state_of(task: Mapping[str, Any]) -> str:
    error = task["Status"].get("Err")
    return f"{task['Status']['State']}{f': {error}' if error else ''}"


def time_of(text: str) -> float:
    """Seconds since 1970 of a time as engines write it: RFC 3339, with nanoseconds."""
    return datetime.fromisoformat(text).timestamp()

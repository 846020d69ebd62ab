"""What the tests of provision do to a lab and ask of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from clusterlab.capabilities import Capabilities
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.plan.report import Report
from clusterlab.progress import Silent, Task
from clusterlab.remote import Hosts, Target
from clusterlab.resources.base import Change


class Heard(Silent):
    """Keeps the lines that stay."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextmanager
    def task(self, subject: str, doing: str) -> Iterator[Task]:
        with super().task(subject, doing) as task:
            yield task

    def say(self, subject: str, text: str) -> None:
        self.lines.append(f"{subject}: {text}")


@dataclass
class Bench:
    """A lab that is up."""

    lab: Lab
    hosts: Hosts
    targets: Mapping[str, Target]
    unsupported: Capabilities
    heard: Heard = field(default_factory=Heard)

    def plan(self, unsupported: Capabilities | None = None, remove_nodes: bool = False) -> list[Change]:
        lacking = self.unsupported if unsupported is None else unsupported
        return provision(self.lab, self.hosts, lacking, self.heard, remove_nodes)

    def provision(self) -> Report:
        return carry_out(self.plan(), self.heard)

    def provisioned(self) -> None:
        report = self.provision()
        assert report.ok, (report.failed, report.blocked, report.skipped)

    def run(self, host: str, command: str) -> str:
        completed = self.hosts[host].run(command)
        assert completed.ok, completed.output
        return completed.stdout.strip()

    def nodes(self, manager: str = "host1") -> dict[str, dict[str, Any]]:
        """The manager's nodes by host name; fails when two have the same."""
        nodes = self.hosts[manager].docker.nodes()
        named = {node["Description"]["Hostname"]: node for node in nodes}
        assert len(named) == len(nodes), [node["Description"]["Hostname"] for node in nodes]
        return named

    def node_id(self, host: str) -> str:
        return str(self.hosts[host].docker.info()["Swarm"]["NodeID"])


def with_inventory(bench: Bench, **keys: object) -> Bench:
    """The same hosts, with other keys in the inventory."""
    inventory = Inventory.model_validate({**bench.lab.inventory.model_dump(), **keys})
    return replace(bench, lab=Lab(inventory))


def brief(changes: list[Change]) -> set[str]:
    return {f"{change.action} {change.key}" for change in changes}

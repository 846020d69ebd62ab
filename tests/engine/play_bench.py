"""What tests of the project's plays do with their lab."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from check_cases import PLAYBOOKS

from clusterlab.checks import run_checks
from clusterlab.checks.result import Result
from clusterlab.machines import open_machines
from clusterlab.model import Lab, load_lab
from clusterlab.plan.apply import apply
from clusterlab.plan.graph import carry_out
from clusterlab.plan.report import Report
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.resources import swarm_actions

INVENTORY = PLAYBOOKS.parent / "inventory" / "namespaces.yml"
LEFT = "docker ps -aq; docker volume ls -q; docker images -q; ls -A /srv"


@dataclass(frozen=True)
class Stand:
    """A lab for plays, by their names; none means all of them."""

    inventory: Path
    hosts: Hosts
    unsupported: dict[str, str]

    def lab(self, plays: list[str]) -> Lab:
        return load_lab(self.inventory, plays, PLAYBOOKS)

    def apply(self, plays: list[str]) -> Report:
        return carry_out(apply(self.lab(plays), self.hosts, unsupported=self.unsupported), Silent())

    def check(self, plays: list[str]) -> list[Result]:
        return run_checks(self.lab(plays), self.hosts, self.unsupported, lambda result: None, Silent())

    def left(self) -> list[str]:
        return [self.hosts[host].run(LEFT, check=True).stdout for host in ("host1", "host2")]


@contextmanager
def stand_up(folder: Path) -> Iterator[Stand]:
    """The inventory for namespaces that comes with the project, under another name."""
    file = folder / "inventory.yml"
    inventory = yaml.safe_load(INVENTORY.read_text()) | {"lab": f"plays-{os.getpid()}"}
    file.write_text(yaml.safe_dump(inventory, sort_keys=False))
    lab = load_lab(file, [], PLAYBOOKS)
    machines = open_machines(lab)
    try:
        machines.up(Silent())
        with Hosts(machines.targets()) as hosts:
            addresses = {name: str(host.address) for name, host in lab.inventory.hosts.items()}
            swarm_actions.init(hosts["host1"], addresses["host1"], lab.name)
            swarm_actions.join(hosts["host2"], addresses["host2"], "worker", hosts["host1"])
            yield Stand(file, hosts, machines.unsupported())
    finally:
        machines.down(Silent())

"""What tests of the project's plays do with their lab."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from clusterlab.capabilities import Capabilities
from clusterlab.checks import run_checks
from clusterlab.model import Lab, load_lab
from clusterlab.plan.apply import apply
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.plan.report import Report
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.results import Result
from tests.support.check_cases import PLAYBOOKS
from tests.support.labs import lab_in_swarm, lab_up

INVENTORY = PLAYBOOKS.parent / "inventory" / "namespaces.yml"
LEFT = "docker ps -aq; docker volume ls -q; docker images -q; ls -A /srv"


@dataclass(frozen=True)
class Stand:
    """A lab for plays, by their names; none means all of them."""

    inventory: Path
    hosts: Hosts
    unsupported: Capabilities

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
    with lab_in_swarm(load_lab(file, [], PLAYBOOKS)) as lab:
        yield Stand(file, lab.hosts, lab.machines.unsupported())


@contextmanager
def provisioned(inventory: Path, folder: Path) -> Iterator[Stand]:
    """An inventory in namespaces, under another name, and provisioned."""
    content = yaml.safe_load(inventory.read_text())
    content.pop("qemu", None)
    file = folder / "inventory.yml"
    changed = {**content, "lab": f"{content['lab']}-{os.getpid()}", "machines": "namespaces"}
    file.write_text(yaml.safe_dump(changed, sort_keys=False))
    lab = load_lab(file, [], PLAYBOOKS)
    with lab_up(lab) as up:
        lacking = up.machines.unsupported()
        report = carry_out(provision(lab, up.hosts, lacking), Silent())
        assert report.ok, (report.failed, report.blocked, report.skipped)
        assert provision(lab, up.hosts, lacking) == []
        yield Stand(file, up.hosts, lacking)

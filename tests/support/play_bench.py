"""What tests of the project's plays do with their lab."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from clusterlab.capabilities import Capabilities
from clusterlab.checks import run_checks
from clusterlab.model import Lab, load_lab
from clusterlab.model.playbook import Play
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
    playbooks: Path = PLAYBOOKS

    def lab(self, plays: list[str]) -> Lab:
        return load_lab(self.inventory, plays, self.playbooks)

    def apply(self, plays: list[str]) -> Report:
        return carry_out(apply(self.lab(plays), self.hosts, unsupported=self.unsupported), Silent())

    def check(self, plays: list[str], titles: Collection[str] = (), within: float | None = None) -> list[Result]:
        """The results of all checks, or of those with some titles; `within` seconds in the place of their own."""
        lab = self.lab(plays)
        chosen = {name: _chosen(play, titles, within) for name, play in lab.plays.items()}
        return run_checks(replace(lab, plays=chosen), self.hosts, self.unsupported, lambda result: None, Silent())

    def left(self) -> list[str]:
        return [self.hosts[host].run(LEFT, check=True).stdout for host in ("host1", "host2")]


def _chosen(play: Play, titles: Collection[str], within: float | None) -> Play:
    checks = [check for check in play.checks if not titles or check.title in titles]
    shorter = {} if within is None else {"within": within}
    return play.model_copy(update={"checks": [check.model_copy(update=shorter) for check in checks]})


@contextmanager
def stand_up(folder: Path, playbooks: Path = PLAYBOOKS) -> Iterator[Stand]:
    """The inventory for namespaces that comes with the project, under another name."""
    file = folder / "inventory.yml"
    inventory = yaml.safe_load(INVENTORY.read_text()) | {"lab": f"plays-{os.getpid()}"}
    file.write_text(yaml.safe_dump(inventory, sort_keys=False))
    with lab_in_swarm(load_lab(file, [], playbooks)) as lab:
        yield Stand(file, lab.hosts, lab.machines.unsupported(), playbooks)


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

"""All plays at once on one lab: made, proven, broken one thing at a time, and removed without a trace.

broken/*.yml say how the lab is broken and what the checks must tell; see tests/check_cases.py. What these machines
cannot do is unsupported here, and is proven on virtual machines in tests/lab.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from check_cases import PLAYBOOKS, broken, case_files, case_parameters, compare, read_case, told

from clusterlab.checks import run_checks
from clusterlab.checks.chain import longest_chain
from clusterlab.checks.result import Outcome, Result
from clusterlab.machines import open_machines
from clusterlab.model import Lab, load_lab
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean, left_over
from clusterlab.plan.graph import carry_out
from clusterlab.plan.report import Report
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.resources import swarm_actions

pytestmark = pytest.mark.engine

INVENTORY = PLAYBOOKS.parent / "inventory" / "namespaces.yml"
LEFT = "docker ps -aq; docker volume ls -q; docker images -q; ls -A /srv"


@dataclass(frozen=True)
class Stand:
    """A lab with all plays on it."""

    inventory: Path
    hosts: Hosts
    unsupported: dict[str, str]

    def lab(self, plays: list[str]) -> Lab:
        return load_lab(self.inventory, plays, PLAYBOOKS)

    def apply(self) -> Report:
        return carry_out(apply(self.lab([]), self.hosts, unsupported=self.unsupported), Silent())

    def check(self, plays: list[str]) -> list[Result]:
        return run_checks(self.lab(plays), self.hosts, self.unsupported, lambda result: None, Silent())

    def left(self) -> list[str]:
        return [self.hosts[host].run(LEFT, check=True).stdout for host in ("host1", "host2")]


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """The inventory for namespaces that comes with the project, under another name."""
    file = tmp_path_factory.mktemp("lab") / "inventory.yml"
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


def sound(results: list[Result]) -> None:
    """Every check holds, or cannot be asked here."""
    wrong = [one for one in results if one.outcome not in (Outcome.PASS, Outcome.UNSUPPORTED)]
    assert not wrong, "\n".join(f"{one.play}: {one.check}\n{told(one)}" for one in wrong)


def proven(stand: Stand) -> None:
    """All checks hold, and neither they nor a second apply changed anything."""
    sound(stand.check([]))
    again = stand.apply()
    assert again.ok
    assert not again.done


def test_all_plays_at_once_hold_and_a_second_apply_changes_nothing(stand: Stand) -> None:
    first = stand.apply()
    assert first.ok, (first.failed, first.blocked)
    assert first.done
    began = time.monotonic()
    results = stand.check([])
    wall = time.monotonic() - began
    sound(results)
    again = stand.apply()
    assert again.ok
    assert not again.done
    chain = longest_chain(stand.lab([]), stand.hosts, results)
    print(f"{len(results)} checks, {wall / chain.seconds:.2f} times as long as their longest chain")
    assert wall < 1.5 * chain.seconds


@pytest.mark.parametrize("path", case_parameters(Path(__file__).parent / "broken"), ids=lambda path: path.stem)
def test_broken(stand: Stand, path: Path) -> None:
    case = read_case(path)
    assert stand.apply().ok
    with broken(case, stand.hosts):
        if "blocked" in case:
            assert [str(change.key) for change in stand.apply().blocked] == case["blocked"]
        compare(case, stand.check(case["plays"]))


def test_what_was_broken_is_well_again(stand: Stand) -> None:
    assert stand.apply().ok
    proven(stand)


def test_every_play_is_broken_by_a_case_or_needs_virtual_machines(stand: Stand) -> None:
    folders = (Path(__file__).parent / "broken", PLAYBOOKS.parent / "tests" / "lab" / "broken")
    cases = [read_case(path) for folder in folders for path in case_files(folder)]
    assert set(stand.lab([]).plays) - {play for case in cases for play in case["plays"]} == set()


def test_clean_leaves_nothing(stand: Stand) -> None:
    report = carry_out(clean(stand.lab([]).name, stand.hosts, delete_data=True), Silent())
    assert report.ok, (report.failed, report.blocked)
    assert left_over(stand.lab([]).name, stand.hosts) == []
    assert stand.left() == ["", ""]

"""The lab broken on purpose, one thing at a time: broken/*.yml say how, and what the checks must tell.

After each case the lab is healed, provisioned and applied again, and then every check of its plays must pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clusterlab.capabilities import ALL_CAPABILITIES
from clusterlab.checks import run_checks
from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.model import Lab, load_lab
from clusterlab.plan.apply import apply
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.plan.report import Report
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.results import Result
from tests.support.check_cases import PLAYBOOKS, broken, case_parameters, compare, read_case

_ROUNDS = 3


class Stand:
    """The lab with the plays on it."""

    def __init__(self, inventory: Path, hosts: Hosts, plays: list[str]) -> None:
        self.hosts = hosts
        self.plays = plays
        self._inventory = inventory
        self._whole = self.lab(plays)

    def lab(self, plays: list[str]) -> Lab:
        return load_lab(self._inventory, plays, PLAYBOOKS)

    def heal(self) -> None:
        """The hosts and all plays are as wanted; after a fault the same command may have to be given again."""
        for _ in range(_ROUNDS):
            reports = [carry_out(provision(self._whole, self.hosts), Silent()), self.apply()]
            if all(report.ok for report in reports):
                return
        for report in reports:
            assert report.ok, [(one.change.key, one.error) for one in report.failed] + report.blocked

    def apply(self) -> Report:
        return carry_out(apply(self._whole, self.hosts), Silent())

    def check(self, plays: list[str]) -> list[Result]:
        return run_checks(self.lab(plays), self.hosts, ALL_CAPABILITIES, lambda result: None, Silent())


@pytest.fixture(scope="module")
def stand(machines: QemuMachines, inventory: Path, request: pytest.FixtureRequest) -> Iterator[Stand]:
    """The lab with every play that a selected case is about."""
    with Hosts(machines.targets()) as connected:
        stand = Stand(inventory, connected, _plays(request.session.items))
        stand.heal()
        yield stand


def _plays(items: list[pytest.Item]) -> list[str]:
    functions = [item for item in items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    calls: list[dict[str, Any]] = [item.callspec.params for item in functions]
    cases = [read_case(params["path"]) for params in calls if "path" in params]
    return sorted({play for case in cases for play in case["plays"]})


def test_the_sound_lab_passes(stand: Stand) -> None:
    assert stand.plays
    compare({}, stand.check(stand.plays))


@pytest.mark.parametrize("path", case_parameters(Path(__file__).parent / "broken"), ids=lambda path: path.stem)
def test_broken(stand: Stand, path: Path) -> None:
    stand.heal()  # for the case that the test before left it broken
    case = read_case(path)
    with broken(case, stand.hosts):
        if "blocked" in case:
            kept = [str(change.key) for change in stand.apply().blocked]
            assert kept == case["blocked"]
        compare(case, stand.check(case["plays"]))
    stand.heal()
    compare({}, stand.check(case["plays"]))

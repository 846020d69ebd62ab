"""The drills of playbooks/drills that hosts in namespaces cannot have, on virtual machines.

Each passes, and fails for the right reason on a set-up that lacks what it is about (`tests.support.drill_twins`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.drills.plan import all_plans
from clusterlab.drills.run import run_drill
from clusterlab.faults import Scene
from clusterlab.faults.record import recorded
from clusterlab.model import load_lab
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.progress import Silent
from clusterlab.results import Outcome, Result
from tests.support.check_cases import PLAYBOOKS
from tests.support.drill_twins import TWINS, read_twin, write_twin
from tests.support.fault_cases import REMAINS, prepared
from tests.support.labs import lab_up
from tests.support.play_bench import Stand

_ROUNDS = 3
"""On a busy computer the first start of everything may take another round."""

INVENTORY: dict[str, Any] = {
    "lab": f"drills-{os.getpid()}",
    "machines": "qemu",
    "network": {"subnet": "192.168.93.0/24"},
    "hosts": {
        "gw": {"address": "192.168.93.1", "roles": ["nfs_server"]},
        "host1": {"address": "192.168.93.11", "roles": ["docker", "swarm_manager"]},
        "host2": {"address": "192.168.93.12", "roles": ["docker", "swarm_worker"]},
        "host3": {"address": "192.168.93.13", "roles": ["docker", "swarm_worker"]},
    },
    "nfs": {
        "exports": [
            {
                "path": "/shares",
                "clients": "192.168.93.0/24",
                "options": ["rw", "sync", "no_subtree_check", "no_root_squash"],
            }
        ]
    },
    "images": {"shell": {"build": "busybox"}},
}


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    file = tmp_path_factory.mktemp("drills") / "inventory.yml"
    file.write_text(yaml.safe_dump(INVENTORY, sort_keys=False))
    lab = load_lab(file, [f"drills/{path.stem}" for path in TWINS], PLAYBOOKS)
    with lab_up(lab) as up:
        lacking = up.machines.unsupported()
        for _ in range(_ROUNDS):
            report = carry_out(provision(lab, up.hosts, lacking), Silent())
            if report.ok:
                break
        assert report.ok, (report.failed, report.blocked)
        yield Stand(file, up.hosts, lacking)


@pytest.mark.parametrize("path", TWINS, ids=lambda path: path.stem)
def test_it_passes(stand: Stand, path: Path) -> None:
    result = drilled(stand, path.stem, PLAYBOOKS, {})
    assert result.outcome is Outcome.PASS, seen(result)
    assert result.timeline is not None


@pytest.mark.parametrize("path", TWINS, ids=lambda path: path.stem)
def test_it_fails_where_the_property_is_lacking(stand: Stand, path: Path, tmp_path: Path) -> None:
    case = read_twin(path)
    write_twin(path, tmp_path)
    result = drilled(stand, path.stem, tmp_path, case)
    assert result.outcome is Outcome.FAIL, seen(result)
    wrong = [f"{one.place}: {one.found}" for one in result.evidence if not one.holds]
    assert any(re.search(case["found"], one) for one in wrong), wrong


def drilled(stand: Stand, name: str, playbooks: Path, case: Mapping[str, Any]) -> Result:
    """What the drill of a play says; nothing of the play, the drill and its faults remains."""
    lab, hosts = load_lab(stand.inventory, [f"drills/{name}"], playbooks), stand.hosts
    (plan,) = all_plans(lab)
    try:
        report = carry_out(apply(lab, hosts, unsupported=stand.unsupported), Silent())
        assert report.ok, (report.failed, report.blocked)
        with prepared(case, hosts):
            result = run_drill(Scene(lab, hosts, Silent()), plan).result
    finally:
        cleaned = carry_out(clean(lab.name, hosts, delete_data=True), Silent())
    assert cleaned.ok, (cleaned.failed, cleaned.blocked)
    assert recorded(lab.name) == []
    assert {hosts[host].run(REMAINS).stdout for host in hosts} == {""}
    return result


def seen(result: Result) -> list[tuple[str, str, str]]:
    return [(one.place, one.wanted, one.found) for one in result.evidence]

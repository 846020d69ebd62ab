"""The stack of the lesson stacks/shop on virtual machines: from nothing, and broken in ten ways, each named and healed.

The ways are those of tests/engine/stacks/broken that are the same here, and shop/*.yml.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.remote import Hosts
from clusterlab.results import Outcome
from tests.lab.conftest import Program
from tests.support.check_cases import broken, case_files, compare, read_case, told
from tests.support.play_bench import Stand
from tests.support.shop import BROKEN, PLAY, shop_with

ALIKE = ("bind-source", "constraint", "crash-loop", "image", "network", "rollback", "same-name", "secret")
"""Those of the ways for namespaces that are the same here."""
WAYS = [*(BROKEN / f"{name}.yml" for name in ALIKE), *case_files(Path(__file__).parent / "shop")]
VOLUMES = "docker volume ls --quiet --filter name=shop_ | xargs -r docker volume rm"
WITHIN = 15.0
HEALED_WITHIN = 120.0
_ROUNDS = 3  # of apply: on a busy computer the Swarm may not get all tasks to run in time


@pytest.fixture(scope="module")
def shop(clusterlab: Program) -> Iterator[Program]:
    """The program; nothing of the shop remains, neither what `clean` leaves."""
    yield clusterlab
    clusterlab("clean", "--delete-data")
    for host in ("host1", "host2"):
        clusterlab("ssh", host, "--", VOLUMES)


@pytest.fixture(scope="module")
def stand(
    shop: Program, machines: QemuMachines, inventory: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stand]:
    """The shop, whose updates wait for less."""
    shop("provision")
    with Hosts(machines.targets()) as hosts:
        playbooks = shop_with(tmp_path_factory.mktemp("shop"), "updates.yml")
        stand = Stand(inventory, hosts, machines.unsupported(), playbooks)
        applied(stand)
        yield stand


def applied(stand: Stand) -> None:
    for _ in range(_ROUNDS):
        report = stand.apply([PLAY])
        if report.ok:
            return
    assert report.ok, (report.failed, report.blocked)


def test_the_shop_from_nothing(shop: Program, tmp_path: Path) -> None:
    shop("run", PLAY, "--json", str(tmp_path / "run.json"))
    document = json.loads((tmp_path / "run.json").read_text())
    assert document["outcome"] == "pass"
    assert {result["outcome"] for result in document["results"] if result["play"] == PLAY} == {"pass"}
    assert len(document["results"]) > 35


@pytest.mark.parametrize("path", WAYS, ids=lambda path: path.stem)
def test_what_is_broken_is_named_and_healed(stand: Stand, path: Path) -> None:
    case = read_case(path)
    titles = frozenset(item["check"] for item in case["expect"])
    with broken(case, stand.hosts):
        compare(case, stand.check([PLAY], titles, WITHIN))
    applied(stand)
    compare({}, stand.check([PLAY], titles, HEALED_WITHIN))


def test_the_healed_shop_passes(stand: Stand) -> None:
    wrong = [one for one in stand.check([PLAY]) if one.outcome is not Outcome.PASS]
    assert not wrong, "\n".join(f"{one.check}\n{told(one)}" for one in wrong)

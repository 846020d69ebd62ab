"""The drills that a stack gets for nothing, on real engines.

What it survives, and what it does not, and why.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from clusterlab.drills.of_stack import StackDrill, stack_drills
from clusterlab.drills.run import Drilled, run_drill
from clusterlab.drills.survival import sentences, with_data
from clusterlab.faults import Scene
from clusterlab.faults.record import recorded
from clusterlab.model.playbook import Play
from clusterlab.model.stack_files import StackFiles
from clusterlab.progress import Silent
from clusterlab.pytest_plugin.bench import Bench
from clusterlab.pytest_plugin.own_lab import temporary_lab
from clusterlab.results import Outcome
from clusterlab.stacks import load_stack
from tests.support.labs import namespaces_lab

pytestmark = pytest.mark.engine

STACK = """
services:
  web:
    image: tools/shell:1
    command: [sh, -c, "mkdir -p /www && exec httpd -f -p 80 -h /www"]
    ports: [{target: 80, published: 8093, mode: host}]
    stop_grace_period: 1s
    deploy: {replicas: 2, restart_policy: {delay: 1s}}
  database:
    image: tools/shell:1
    command: [sleep, infinity]
    stop_grace_period: 1s
    volumes: ["data:/data"]
    deploy: {placement: {constraints: [node.hostname == host2]}, restart_policy: {delay: 1s}}
  moving:
    image: tools/shell:1
    command: [sleep, infinity]
    stop_grace_period: 1s
    volumes: ["moves:/data"]
    deploy: {placement: {constraints: [node.hostname != host1]}, restart_policy: {delay: 1s}}
volumes: {data: {}, moves: {}}
"""


class Shop:
    """A stack that is deployed on a lab."""

    def __init__(self, bench: Bench) -> None:
        self.lab = bench.lab
        self.hosts = bench.hosts
        self.drills = stack_drills(bench.lab, "shop", bench.session.unsupported, lasts=12.0)

    def drill(self, title: str) -> tuple[StackDrill, Drilled]:
        (drill,) = [one for one in self.drills if one.plan.title == title]
        drilled = with_data(drill, run_drill(Scene(self.lab, self.hosts, Silent()), drill.plan))
        assert recorded(self.lab.name) == []
        return drill, drilled

    def where(self, service: str) -> str:
        """The host that runs the only task of a service."""
        ask = "docker service ps --filter desired-state=running --format '{{.Node}}'"
        return self.hosts["host1"].run(f"{ask} shop_{service}", check=True).stdout.strip()


@pytest.fixture(scope="module")
def clusterlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    file = tmp_path_factory.mktemp("stack") / "stack.yml"
    file.write_text(STACK)
    play = Play(title="the shop", stack=StackFiles(files=[str(file)], name="shop"))
    loaded = load_stack([str(file)], "shop", {})
    loaded.valid()
    images = {"tools/shell:1": {"build": "busybox"}}
    lab = namespaces_lab(f"survival-{os.getpid()}", "10.77.0.0/24", docker_hosts=3, images=images)
    with temporary_lab(replace(lab, plays={"shop": play}, stacks={"shop": loaded})) as bench:
        yield bench


@pytest.fixture(scope="module")
def shop(clusterlab: Bench) -> Shop:
    return Shop(clusterlab)


def found(drilled: Drilled) -> str:
    return "\n".join(f"{one.place}: {one.found}" for one in drilled.result.evidence)


def test_whatever_can_be_lost_has_a_drill(shop: Shop) -> None:
    assert [one.plan.title for one in shop.drills] == [
        "host2 loses power",
        "host3 loses power",
        "a task of web is killed",
        "a task of database is killed",
        "a task of moving is killed",
        "host1 is drained",
        "host2 is drained",
        "host3 is drained",
        "host1 loses power, the only manager",
    ]


def test_a_killed_task_is_replaced(shop: Shop) -> None:
    drill, drilled = shop.drill("a task of database is killed")
    assert drilled.result.outcome is Outcome.PASS, found(drilled)
    first, *rest = sentences(shop.lab, [(drill, drilled)])
    assert first == "shop survives 1 of 1 drills"
    assert len(rest) == 1, rest
    assert rest[0].startswith("database is away for ")
    assert rest[0].endswith(
        " s when a task of database is killed, because it has one task, and another had to be started"
    )


def test_a_database_whose_volume_is_local_is_away_while_its_host_is(shop: Shop) -> None:
    drill, drilled = shop.drill("host2 loses power")
    assert drilled.result.outcome is Outcome.FAIL, found(drilled)
    held = {one.place: one.holds for one in drilled.result.evidence}
    assert held["web anywhere"]
    assert not held["database anywhere"]
    assert drilled.away["database anywhere"] >= 12
    (said,) = [line for line in sentences(shop.lab, [(drill, drilled)]) if line.startswith("database ")]
    assert said.endswith(
        "s when host2 is lost, because its volume data is local to host2, and node.hostname == host2 keeps it there"
    )


@pytest.mark.long
def test_a_service_that_moves_without_its_data_is_told_so(shop: Shop) -> None:
    host = shop.where("moving")
    drill, drilled = shop.drill(f"{host} is drained")
    assert drilled.result.outcome is Outcome.FAIL, found(drilled)
    said = [line for line in sentences(shop.lab, [(drill, drilled)]) if line.startswith("moving ")]
    other = {"host2": "host3", "host3": "host2"}[host]
    assert said == [
        f"moving goes on without its data when {host} is drained: it runs on {other} with another volume moves: "
        f"its data is local to {host}"
    ]

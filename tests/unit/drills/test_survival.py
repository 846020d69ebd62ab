"""The sentences about what a stack survives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from clusterlab.drills.moments import Placement
from clusterlab.drills.of_stack import StackDrill, label, servers
from clusterlab.drills.plan import DrillPlan
from clusterlab.drills.run import Drilled
from clusterlab.drills.survival import reason, sentences, with_data
from clusterlab.model import Lab
from clusterlab.model.drills import Drill
from clusterlab.results import Outcome, Result
from clusterlab.stacks import load_stack
from clusterlab.stacks.stack import Stack
from tests.support.labs import namespaces_lab

STACK = """
services:
  web: {image: shell, deploy: {replicas: 2}}
  single: {image: shell}
  bound: {image: shell, deploy: {placement: {constraints: [node.hostname == host2]}}}
  database: {image: shell, volumes: ["data:/data"], deploy: {placement: {constraints: [node.hostname == host2]}}}
  moving: {image: shell, volumes: ["moves:/data"]}
  shared: {image: shell, volumes: ["files:/data"]}
volumes:
  data: {}
  moves: {}
  files: {driver_opts: {type: nfs, o: "addr=10.75.0.1,rw", device: ":/shares"}}
"""


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    (tmp_path / "stack.yml").write_text(STACK)
    return load_stack([str(tmp_path / "stack.yml")], "shop", {}).valid()


LAB = namespaces_lab("survival", "10.75.0.0/24", docker_hosts=3)
ALONE = namespaces_lab("alone", "10.75.0.0/24", docker_hosts=1)


@pytest.mark.parametrize(
    ("lab", "service", "host", "before", "expected"),
    [
        (LAB, "web", "host2", ("host2",), "all its tasks ran there, and another had to be started"),
        (LAB, "single", "host2", ("host2",), "it has one task, and another had to be started"),
        (LAB, "single", "", ("host2",), "it has one task, and another had to be started"),
        (LAB, "bound", "host2", ("host2",), "node.hostname == host2 allows host2 alone"),
        (
            LAB,
            "database",
            "host2",
            ("host2",),
            "its volume data is local to host2, and node.hostname == host2 keeps it there",
        ),
        (LAB, "single", "host1", ("host1",), "host1 is the only manager: without it the Swarm starts no other task"),
        (ALONE, "single", "host1", ("host1",), "no other node than host1 may run tasks"),
        (LAB, "shared", "gw", ("host2",), "its volume files is on gw"),
        (LAB, "web", "host2", (), "its tasks were elsewhere, and the timeline shows when it was"),
    ],
)
def test_why_a_service_was_away(
    stack: Stack, lab: Lab, service: str, host: str, before: tuple[str, ...], expected: str
) -> None:
    assert reason(lab, stack, stack.services[service], host, before) == expected


def test_file_servers_of_volumes(stack: Stack) -> None:
    assert servers(stack, "files") == ["10.75.0.1"]
    assert servers(stack, "data") == []


def drilled(
    stack: Stack, outcome: Outcome, placements: Sequence[Mapping[str, tuple[str, ...]]], **away: float
) -> tuple[StackDrill, Drilled]:
    plan = DrillPlan("shop", Drill.model_construct(title="host2 loses power", faults=[], during=[]), "", (), (), ())
    drill = StackDrill(plan, stack, "host2 is lost", "host2")
    result = Result("shop", plan.title, "drill", outcome)
    seen = tuple(Placement(float(at), hosts) for at, hosts in enumerate(placements))
    return drill, Drilled(plan, result, {label(name): seconds for name, seconds in away.items()}, seen)


def test_what_people_act_on(stack: Stack) -> None:
    before = {"shop_database": ("host2",), "shop_single": ("host2",)}
    lines = sentences(
        LAB,
        [
            drilled(stack, Outcome.FAIL, [before], database=71.4, single=29.0),
            drilled(stack, Outcome.PASS, [before]),
            drilled(stack, Outcome.ERROR, [before]),
        ],
    )
    assert lines == [
        "shop survives 1 of 2 drills; 1 not carried out",
        "single is away for 29 s when host2 is lost, because it has one task, and another had to be started",
        "database is away for 71 s when host2 is lost, because its volume data is local to host2, and "
        "node.hostname == host2 keeps it there",
    ]


def test_a_service_that_goes_on_without_its_data_has_not_survived(stack: Stack) -> None:
    drill, one = drilled(stack, Outcome.PASS, [{"shop_moving": ("host2",)}, {"shop_moving": ("host3",)}], moving=30.0)
    failed = with_data(drill, one)
    assert failed.result.outcome is Outcome.FAIL
    assert [evidence.found for evidence in failed.result.evidence] == [
        "it runs on host3 with another volume moves: its data is local to host2"
    ]
    assert (
        with_data(drill, drilled(stack, Outcome.PASS, [{"shop_moving": ("host2",)}])[1]).result.outcome is Outcome.PASS
    )
    away = drilled(stack, Outcome.ERROR, [{"shop_moving": ("host2",)}, {"shop_moving": ("host3",)}])[1]
    assert with_data(drill, away).result.outcome is Outcome.ERROR

"""Preconditions by given facts: which cause is named, and what a host's answers mean."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from clusterlab.checks import facts
from clusterlab.checks.facts import Facts, Node, parse
from clusterlab.checks.preconditions import (
    ContainerRuns,
    EngineAnswers,
    HostReachable,
    InSwarm,
    ManagerAnswers,
    ManagerAtWork,
    NfsServerAnswers,
    Precondition,
    ServiceRuns,
)

from .demo import ACTIVE, DOWN, MANAGERS, NODE

NODES = {"192.168.98.11": Node("ready", "active"), "192.168.98.12": Node("ready", "active")}
WELL = {
    "gw": Facts("gw", 0.0, nfs_listens=True),
    "host1": Facts("host1", 0.0, swarm=ACTIVE, nodes=NODES, services={"api": (2, 2)}, containers={"web": "Up 3 days"}),
    "host2": Facts("host2", 0.0, swarm=ACTIVE, containers={"app": "Up 1 second (health: starting)"}),
}


@pytest.mark.parametrize(
    ("one", "host", "changed", "code"),
    [
        (HostReachable("host2"), "host2", {"unreachable": "no route"}, "host-unreachable"),
        (EngineAnswers("host2"), "host2", {"unreachable": "no route"}, "host-unreachable"),
        (EngineAnswers("host2"), "host2", DOWN, "engine-down"),
        (EngineAnswers("host2"), "host2", {**DOWN, "engine_silent": True}, "engine-silent"),
        (ContainerRuns("host1", "web"), "host1", DOWN, "engine-down"),
        (ContainerRuns("host1", "web"), "host1", {"containers": {}}, "container-missing"),
        (ContainerRuns("host1", "web"), "host1", {"containers": {"web": "Exited (137) 2 s ago"}}, "container-stopped"),
        (ContainerRuns("host1", "web"), "host1", {"containers": {"web": "Up 2 days (Paused)"}}, "container-paused"),
        (ManagerAnswers(MANAGERS), "host1", {**DOWN, "nodes": None}, "engine-down"),
        (ManagerAnswers(MANAGERS), "host1", {"nodes": None}, "swarm-no-leader"),
        (ManagerAnswers(MANAGERS), "host1", {"nodes": None, "swarm": {}}, "swarm-inactive"),
        (InSwarm("host2"), "host2", {"swarm": {"LocalNodeState": "inactive"}}, "swarm-inactive"),
        (ManagerAtWork("host1"), "host1", {**DOWN, "nodes": None}, "engine-down"),
        (ManagerAtWork("host1"), "host1", {"nodes": None, "swarm": {}}, "swarm-inactive"),
        (ManagerAtWork("host1"), "host1", {"nodes": None}, "manager-not-at-work"),
        (NODE, "host2", DOWN, "engine-down"),
        (NODE, "host1", {"nodes": {}}, "node-missing"),
        (NODE, "host1", {"nodes": {"192.168.98.12": Node("down", "active")}}, "node-down"),
        (NODE, "host1", {"nodes": {"192.168.98.12": Node("ready", "drain")}}, "node-drained"),
        (NODE, "host1", {"nodes": {"192.168.98.12": Node("ready", "pause")}}, "node-paused"),
        (ServiceRuns("api", MANAGERS), "host1", {"services": {}}, "service-missing"),
        (ServiceRuns("api", MANAGERS), "host1", {"services": {"api": (0, 2)}}, "service-down"),
        (NfsServerAnswers("gw"), "gw", {"nfs_listens": False}, "nfs-server-down"),
    ],
)
def test_each_precondition_names_the_most_basic_cause(
    one: Precondition, host: str, changed: dict[str, Any], code: str
) -> None:
    assert one.failure(WELL) is None
    failure = one.failure({**WELL, host: replace(WELL[host], **changed)})
    assert failure is not None
    assert failure.cause.code == code
    assert failure.cause.remedy
    assert "\n" not in failure.cause.summary


@pytest.mark.parametrize("found", ["drain", "pause"])
def test_a_node_that_gets_no_tasks_on_purpose_blocks_nothing(found: str) -> None:
    nodes = {"192.168.98.12": Node("ready", found)}

    def judged(swarm: dict[str, Any], availability: Any = None) -> str:
        failure = replace(NODE, availability=availability).failure(
            {**WELL, "host1": replace(WELL["host1"], nodes=nodes, swarm=swarm)}
        )
        return failure.cause.code if failure else ""

    code = {"drain": "node-drained", "pause": "node-paused"}[found]
    foreign: dict[str, Any] = {"LocalNodeState": "active", "Labels": None}
    assert judged(ACTIVE) == code
    assert judged(foreign) == ""
    assert judged({**foreign, "Labels": {"org.clusterlab.lab": "another"}}) == ""
    assert judged(foreign, "active") == judged(ACTIVE, "active") == code
    assert judged(foreign, found) == judged(ACTIVE, found) == ""


@pytest.mark.parametrize("status", ["Created", "Restarting (1) 2 seconds ago", "Removal In Progress"])
def test_what_may_come_up_by_itself_is_passing(status: str) -> None:
    failure = ContainerRuns("host1", "web").failure({"host1": replace(WELL["host1"], containers={"web": status})})
    assert failure is not None
    assert failure.passing


def test_a_node_that_has_not_reported_to_a_new_leader_yet_is_passing() -> None:
    nodes = {"192.168.98.12": Node("unknown", "active")}
    failure = NODE.failure({**WELL, "host1": replace(WELL["host1"], nodes=nodes)})
    assert failure is not None
    assert (failure.cause.code, failure.passing) == ("node-down", True)


PRINTED = """\
== clusterlab: nfs 0
2
== clusterlab: engine 0
web Up 3 minutes
db Exited (137) 4 seconds ago
== clusterlab: swarm 0
WARNING: something
{"NodeID":"x","NodeAddr":"10.1.0.1","LocalNodeState":"active","ControlAvailable":true}
== clusterlab: ids 0
a
b
== clusterlab: nodes 0
{"addr": "0.0.0.0", "state": "ready", "availability": "active", "serves": "10.1.0.1:2377", "leads": true}
{"addr": "10.1.0.2", "state": "down", "availability": "drain", "serves": "", "leads": false}
== clusterlab: services 0
api 1/2
one 1/1 (max 1 per node)
job 0/2 (1/2 completed)
"""


def test_what_a_host_prints_is_read() -> None:
    found = parse("host1", PRINTED)
    assert found.answers
    assert found.nfs_listens
    assert found.swarm["LocalNodeState"] == "active"
    assert found.containers == {"web": "Up 3 minutes", "db": "Exited (137) 4 seconds ago"}
    assert found.nodes == {"10.1.0.1": Node("ready", "active", True), "10.1.0.2": Node("down", "drain")}
    assert found.services == {"api": (1, 2), "one": (1, 1), "job": (0, 0)}


@pytest.mark.parametrize("late", ["swarm 0", "ids 0", "nodes 0", "services 0"])
def test_from_a_question_that_took_too_long_nothing_follows(late: str) -> None:
    assert parse("host1", PRINTED).complete
    assert not parse("host1", PRINTED.replace(late, f"{late.split()[0]} 124")).complete


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("1\nCannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", "is not running"),
        ("124\n", "does not answer within"),
        ("127\nsh: docker: not found", "cannot be used: sh: docker: not found"),
    ],
)
def test_an_engine_that_does_not_answer(printed: str, why: str) -> None:
    found = parse("host1", f"== clusterlab: nfs 0\n0\n== clusterlab: engine {printed}")
    assert why in found.engine_down
    assert found.nfs_listens is False
    assert found.nodes is None


def test_a_shell_hands_on_what_the_engine_printed_as_it_is() -> None:
    """Some shells' echo expands the line breaks that JSON writes as two characters, and it is no JSON then."""
    said = '{"LocalNodeState": "active", "Error": "one\\\\nand another"}'
    script = f"{facts._PART}part engine true\npart swarm printf '%s' {shlex.quote(said)}"
    printed = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert parse("host1", printed).swarm["Error"] == "one\\nand another"


def test_nothing_follows_from_a_place_in_the_swarm_that_is_not_understood() -> None:
    found = parse("host1", "== clusterlab: engine 0\n\n== clusterlab: swarm 0\n{broken")
    assert not found.complete

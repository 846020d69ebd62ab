"""Preconditions by given facts: which cause is named, and what a host's answers mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import docker.errors
import pytest

from clusterlab.checks.facts import Facts, Node, judged
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
from clusterlab.errors import ClusterlabError, DeadlineExceeded, HostError
from clusterlab.remote import Target
from clusterlab.remote.channels import ChannelsInUse
from clusterlab.remote.docker_errors import NoAnswer, explain_end
from clusterlab.resources.base import LABEL_LAB

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


def _service(name: str, mode: str, running: int, desired: int) -> dict[str, Any]:
    status = {"RunningTasks": running, "DesiredTasks": desired, "CompletedTasks": 1}
    return {"Spec": {"Name": name, "Mode": {mode: {}}}, "ServiceStatus": status}


ANSWERS: dict[str, Any] = {
    "containers": [
        {"Names": ["/app/web", "/web"], "Status": "Up 3 minutes"},
        {"Names": ["/db"], "Status": "Exited (137) 4 seconds ago"},
        {"Names": None, "Status": "Dead"},
    ],
    "info": {"NCPU": 2, "Swarm": {"LocalNodeState": "active", "Cluster": {"Spec": {"Labels": {LABEL_LAB: "demo"}}}}},
    "nodes": [
        {
            "Spec": {"Availability": "active"},
            "Status": {"State": "ready", "Addr": "0.0.0.0"},
            "ManagerStatus": {"Addr": "10.1.0.1:2377", "Leader": True},
        },
        {"Spec": {"Availability": "drain"}, "Status": {"State": "down", "Addr": "10.1.0.2"}},
    ],
    "services": [_service("api", "Replicated", 1, 2), _service("job", "ReplicatedJob", 0, 2)],
}
SEEN = Facts("host1", 0.0, nfs_listens=True)


def _refusal(text: str = "This node is not a swarm manager") -> HostError:
    """As an engine's refusal becomes an error."""
    error = HostError("host1", f"cannot ask the engine: {text}", detail=text)
    error.__cause__ = docker.errors.APIError(text)
    return error


def _no_answer(stderr: str, lost: bool = False) -> NoAnswer:
    target = Target("host1", "192.168.98.11")
    return explain_end(target, "GET /containers/json", stderr, lost=lost, stale=False, begun=False)


LATE = DeadlineExceeded("cannot ask the engine: host1: the engine did not answer")


def test_what_an_engine_answers_is_read() -> None:
    found = judged(SEEN, ANSWERS)
    assert (found.answers, found.complete, found.nfs_listens) == (True, True, True)
    assert (found.swarm["LocalNodeState"], found.made_for, found.processors) == ("active", "demo", 2)
    assert found.containers == {"web": "Up 3 minutes", "db": "Exited (137) 4 seconds ago", "": "Dead"}
    assert found.nodes == {"10.1.0.1": Node("ready", "active", True), "10.1.0.2": Node("down", "drain")}
    assert found.services == {"api": (1, 2), "job": (0, 0)}


def test_a_worker_is_asked_nothing_that_only_managers_know() -> None:
    found = judged(SEEN, {name: ANSWERS[name] for name in ("containers", "info")})
    assert (found.complete, found.nodes, found.services) == (True, None, {})


@pytest.mark.parametrize("late", ["info", "nodes", "services"])
def test_from_a_question_without_an_answer_nothing_follows(late: str) -> None:
    found = judged(SEEN, {**ANSWERS, late: LATE})
    assert (found.answers, found.complete) == (True, False)


def test_a_manager_that_refuses_to_list_the_nodes_has_none() -> None:
    found = judged(SEEN, {"containers": [], "info": ANSWERS["info"], "nodes": _refusal()})
    assert (found.answers, found.complete, found.nodes) == (True, True, None)


@pytest.mark.parametrize(
    ("error", "why", "silent"),
    [
        (_no_answer("Cannot connect to the Docker daemon at unix:///x"), "the Docker engine is not running", False),
        (_no_answer("sudo: docker: command not found"), "docker is not installed", False),
        (_refusal("client version 1.99 is too new"), "cannot be used: client version 1.99 is too new", False),
        (LATE, "the Docker engine does not answer within 12 s", True),
    ],
)
def test_an_engine_that_does_not_answer(error: ClusterlabError, why: str, silent: bool) -> None:
    found = judged(SEEN, {"containers": error})
    assert why in found.engine_down
    assert (found.complete, found.engine_silent, found.nodes) == (True, silent, None)


def test_a_lost_connection_or_one_in_use_says_nothing_of_the_engine() -> None:
    in_use = DeadlineExceeded("cannot ask the engine: host1: the spare channel was in use")
    in_use.__cause__ = ChannelsInUse("host1: the spare channel was in use")
    for error in _no_answer("", lost=True), in_use, HostError("host1", "cannot be reached"):
        found = judged(SEEN, {"containers": error})
        assert (found.engine_down, found.complete) == ("", False)

"""Which manager of several is asked, and the statements about them, by given facts."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from clusterlab.checks import guard as guards
from clusterlab.checks.dependencies import Dependencies, dependencies
from clusterlab.checks.facts import Facts, Node
from clusterlab.checks.guard import CheckGuard, Guard
from clusterlab.checks.kinds import service_names
from clusterlab.checks.places import Places
from clusterlab.checks.preconditions import EngineAnswers, ManagerAnswers, NodeAvailable
from clusterlab.checks.subjects import subjects
from clusterlab.checks.swarm_actions import SwarmActions
from clusterlab.checks.swarm_managers import check_managers
from clusterlab.checks.swarm_task import network_id, service_of
from clusterlab.checks.task_view import TaskView
from clusterlab.errors import ClusterlabError, HostError
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.remote import Hosts
from clusterlab.reports.verdict import exit_code
from clusterlab.resources.managers import first_answer
from clusterlab.resources.swarm_handle import NotPermitted
from clusterlab.results import Outcome, Result

MANAGERS = ("m1", "m2", "m3")
ADDRESSES = {name: f"10.0.0.{number}" for number, name in enumerate((*MANAGERS, "w1"), 1)}
INVENTORY = Inventory.model_validate(
    {
        "lab": "ha",
        "hosts": {
            name: {"address": at, "roles": ["docker", "swarm_worker" if name == "w1" else "swarm_manager"]}
            for name, at in ADDRESSES.items()
        },
    }
)
PLAY: dict[str, Any] = {
    "title": "t",
    "networks": {
        "used": {"driver": "overlay", "attachable": True},
        "unused": {"driver": "overlay", "attachable": True},
    },
    "containers": {"app": {"host": "w1", "image": "shell", "networks": ["used"]}},
    "services": {"api": {"image": "shell"}},
}
ACTIVE = {"LocalNodeState": "active"}


def nodes(leader: str) -> dict[str, Node]:
    return {at: Node("ready", "active", name == leader) for name, at in ADDRESSES.items()}


def guard(monkeypatch: pytest.MonkeyPatch, leader: str, down: tuple[str, ...] = ()) -> Guard:
    """A guard that has read the facts of every host; engines of `down` do not run."""

    def observe(host: str, roles: object) -> Facts:
        if host in down:
            return Facts(host, 0.0, engine_down="the Docker engine is not running")
        return Facts(host, 0.0, swarm=ACTIVE, nodes=nodes(leader) if host in MANAGERS else None)

    class Names:
        def __getitem__(self, name: str) -> str:
            return name

    monkeypatch.setattr(guards, "observe", observe)
    made = Guard(Lab(INVENTORY), Names())  # type: ignore[arg-type]
    made.begin()
    return made


@pytest.mark.parametrize(
    ("leader", "down", "order"),
    [
        ("m1", (), ["m1", "m2", "m3"]),
        ("m2", (), ["m2", "m1", "m3"]),
        ("m3", ("m1",), ["m3", "m2", "m1"]),
        ("m1", ("m1",), ["m2", "m3", "m1"]),
    ],
)
def test_the_leader_is_asked_first_and_who_is_down_last(
    monkeypatch: pytest.MonkeyPatch, leader: str, down: tuple[str, ...], order: list[str]
) -> None:
    lab = Lab(INVENTORY, {"p": Play.model_validate(PLAY)})
    places = Places(lab, lab.plays["p"], Hosts({}), known=guard(monkeypatch, leader, down))
    assert places.managers == order
    assert places.manager == order[0]


def test_the_next_manager_is_asked_only_when_one_does_not_answer() -> None:
    asked: list[str] = []

    def ask(name: str) -> str:
        asked.append(name)
        if name == "m1":
            raise HostError("m1", "down")
        raise ClusterlabError("there is no such service")

    with pytest.raises(ClusterlabError, match="no such service"):
        first_answer(MANAGERS, ask)
    assert asked == ["m1", "m2"]


def test_a_refusal_is_final() -> None:
    def refuse(name: str) -> str:
        raise NotPermitted(name, "tasks of others are on it")

    with pytest.raises(NotPermitted, match="m1: tasks of others"):
        first_answer(MANAGERS, refuse)


class Engine:
    """The engine of a manager with one service, whose task runs, on one network."""

    def inspect_service(self, name: str) -> dict[str, Any]:
        return {"ID": "s1", "Spec": {"Name": name, "Labels": {"org.clusterlab.lab": "ha"}}, "Endpoint": {}}

    def inspect_network(self, name: str) -> dict[str, Any]:
        return {"Id": f"id of {name}"}

    def nodes(self, filters: object = None) -> list[dict[str, Any]]:
        return [{"ID": "n1", "Status": {"Addr": ADDRESSES["w1"]}, "Description": {"Hostname": "w1"}}]

    def services(self) -> list[dict[str, Any]]:
        return [{"ID": "s1", "Spec": {"Name": "api"}, "Endpoint": {"VirtualIPs": [{"Addr": "10.9.0.2/24"}]}}]

    def tasks(self, filters: object = None) -> list[dict[str, Any]]:
        return [{"ID": "t1", "NodeID": "n1", "Slot": 1, "Status": {"State": "running"}, "DesiredState": "running"}]

    def info(self) -> dict[str, Any]:
        return {"SystemTime": "2026-01-02T03:04:05.123456789Z"}


class Half:
    """Hosts of which m1 does not answer: each has the name and the engine that it was asked for."""

    def __getitem__(self, name: str) -> Any:
        return self.Host(name)

    class Host:
        def __init__(self, name: str) -> None:
            self.name = name

        @property
        def docker(self) -> Engine:
            if self.name == "m1":
                raise HostError("m1", "down")
            return Engine()


QUESTIONS: dict[str, Callable[[Places], object]] = {
    "a service and its tasks": lambda places: [task.host for task in service_of("api", places).tasks],
    "a network": lambda places: network_id("used", places),
    "the tasks of a service": lambda places: TaskView("api", places, {"ID": "s1"}).manager,
    "who has an address": lambda places: service_names._owned(["10.9.0.2"], places),
    "a service that an action is on": lambda places: SwarmActions(places)._find("api").manager.name,
}
ANSWERS = {
    "a service and its tasks": ["w1"],
    "a network": "id of used",
    "the tasks of a service": "m2",
    "who has an address": ["10.9.0.2 belongs to api"],
    "a service that an action is on": "m2",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_next_manager_answers_where_the_first_does_not(question: str) -> None:
    lab = Lab(INVENTORY, {"p": Play.model_validate(PLAY)})
    places = Places(lab, lab.plays["p"], Half())  # type: ignore[arg-type]
    assert places.manager == "m1"
    assert QUESTIONS[question](places) == ANSWERS[question]


@pytest.mark.parametrize(
    ("probe", "before"),
    [
        ({"service": "api", "path": "ID"}, ManagerAnswers(MANAGERS)),
        ({"tasks": "api", "path": "*.Node"}, ManagerAnswers(MANAGERS)),
        ({"node": "w1", "path": "ID"}, ManagerAnswers(MANAGERS)),
        ({"network": "unused", "path": "Driver"}, ManagerAnswers(MANAGERS)),
        ({"network": "used", "path": "Driver"}, EngineAnswers("w1")),
        ({"service": "api", "on": "m2", "path": "ID"}, EngineAnswers("m2")),
    ],
)
def test_what_is_inspected_of_the_swarm_needs_any_manager(probe: dict[str, Any], before: object) -> None:
    check = {"title": "x", "inspect": {"value": {"matches": "."}, **probe}}
    play = Play.model_validate({**PLAY, "checks": [check]})
    lab = Lab(INVENTORY, {"p": play})
    (only,) = play.checks
    found = dependencies(only, lab, play, subjects(only, Places(lab, play, Hosts({}))))
    assert found.before == (before,)


def test_a_manager_that_is_down_does_not_confirm_what_was_read_of_another_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that drains a node restores it, and the facts of that moment block no other check."""
    made = guard(monkeypatch, "m2", ("m1",))
    drained = {**nodes("m2"), ADDRESSES["w1"]: Node("ready", "drain")}
    made._facts["m2"] = Facts("m2", time.monotonic(), swarm=ACTIVE, nodes=drained)
    made._down_since["m1"] = time.monotonic() - 60.0
    one = NodeAvailable("w1", ADDRESSES["w1"], MANAGERS, "ha", "active")
    assert CheckGuard(made, Dependencies((one,)), Event()).before(False) is None


NEEDS = [Dependencies((ManagerAnswers(MANAGERS),))]


def test_a_manager_that_is_down_is_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(check_managers(Lab(INVENTORY), NEEDS, guard(monkeypatch, "m2", ("m1",)), Event()))
    assert [(one.check, one.outcome.value) for one in found] == [
        ("m1 manages the Swarm", "blocked"),
        ("m2 manages the Swarm", "pass"),
        ("m3 manages the Swarm", "pass"),
    ]
    assert found[0].cause
    assert (found[0].cause.code, found[0].cause.subject) == ("engine-down", "m1")


def test_managers_at_work_prove_no_play(monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(check_managers(Lab(INVENTORY), NEEDS, guard(monkeypatch, "m1"), Event()))
    assert {one.outcome for one in found} == {Outcome.PASS}
    assert exit_code([*found, Result("nfs", "is mounted", "mount", Outcome.UNSUPPORTED)]) == 3


def test_without_anything_of_the_swarm_its_managers_are_nobodys_business(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = [Dependencies((EngineAnswers("w1"),))]
    assert list(check_managers(Lab(INVENTORY), needs, guard(monkeypatch, "m1", ("m1",)), Event())) == []


def test_of_a_manager_that_was_too_slow_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    made = guard(monkeypatch, "m1")
    made._facts["m3"] = Facts("m3", 0.0, complete=False)
    results = {one.check: one for one in check_managers(Lab(INVENTORY), NEEDS, made, Event())}
    assert results["m3 manages the Swarm"].outcome is Outcome.ERROR

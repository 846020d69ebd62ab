"""Published ports: who answers, and what is not an answer of the service."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from clusterlab.checks.answerer import Sockets, answerer
from clusterlab.checks.batch import Job, Met
from clusterlab.checks.kinds import KINDS, published
from clusterlab.checks.manual.where import Where
from clusterlab.checks.place import NoAnswer, NotUnderstood, WrongAnswer
from clusterlab.checks.places import Places
from clusterlab.checks.swarm_task import Service
from clusterlab.results import Outcome
from tests.unit.checks.service_lab import LAB, ask, places, task


def serve(monkeypatch: pytest.MonkeyPatch, ports: Sequence[Mapping[str, object]], *hosts: str) -> list[str]:
    """A service with tasks on hosts; the list grows by the hosts that ask. A task answers at every port."""
    asking: list[str] = []

    def all_open(host: str, jobs: Sequence[Job], places: Places) -> Mapping[Job, Met]:
        asking.append(host)
        return {job: Met(True, "open", port=OWN) for job in jobs}

    tasks = [task(host) for host in hosts]
    found = Service("web", {"Endpoint": {"Ports": ports}}, tasks, {})
    seen = Sockets({host: frozenset() for host in ("host1", "host2")}, {one: frozenset({(80, OWN)}) for one in tasks})
    monkeypatch.setattr(published, "service_of", lambda name, places: found)
    monkeypatch.setattr(published, "ask_all", all_open)
    monkeypatch.setattr(published, "sockets_of", lambda nodes, tasks, places: seen)
    return asking


INGRESS = {"PublishMode": "ingress", "Protocol": "tcp", "PublishedPort": 8080, "TargetPort": 80}
OWN = 45678
"""The port of a connection at the host that asks."""


@pytest.mark.parametrize(
    ("of_node", "of_task", "mode", "holds", "text"),
    [
        ([], [(80, OWN)], "host", True, "web.1 on host1 has the connection"),
        ([], [(80, OWN)], "ingress", True, "web.1 on host1 has the connection"),
        ([(8080, OWN)], [], "host", False, "ends at a process of host1, and at no task"),
        ([(8080, OWN)], [], "ingress", False, "ends at a process of host1, and at no task"),
        ([(8080, OWN), (50000, 80)], [(80, 50000)], "host", True, "a process of host1 passes it on to web.1 on host1"),
        ([(8080, OWN), (50000, 80)], [(80, 50001)], "host", False, "ends at a process of host1"),
        ([(8081, OWN)], [(81, OWN), (80, OWN + 1)], "host", False, "no task of the service has the connection"),
        ([], [], "ingress", False, "no task of the service has the connection"),
        ([], [(81, OWN), (443, OWN + 1)], "ingress", False, "no task of the service has the connection"),
    ],
)
def test_who_answers_is_where_the_connection_ends(
    of_node: list[tuple[int, int]], of_task: list[tuple[int, int]], mode: str, holds: bool, text: str
) -> None:
    seen = Sockets({"host1": frozenset(of_node)}, {task(): frozenset(of_task)})
    found = answerer("host1", 8080, 80, Met(True, "open", port=OWN), seen, on_node=mode == "host")
    assert found.holds is holds
    assert text in found.found


def test_a_task_of_another_node_does_not_answer_for_this_one_at_a_host_port() -> None:
    seen = Sockets({"host2": frozenset()}, {task(): frozenset({(80, OWN)})})
    assert not answerer("host2", 8080, 80, Met(True, "open", port=OWN), seen, on_node=True).holds
    assert answerer("host2", 8080, 80, Met(True, "open", port=OWN), seen, on_node=False).holds


def test_what_was_forwarded_and_seen_at_no_task_is_no_answer_of_the_service() -> None:
    """Other clients are connected to the service, or some of its tasks cannot be asked: then nothing is known."""
    met, nobody = Met(True, "open", port=OWN), {"host1": frozenset[tuple[int, int]]()}
    busy = Sockets(nobody, {task(): frozenset({(80, OWN + 1)})})
    with pytest.raises(NotUnderstood, match=r"no task shows that connection; web\.1 on host1 shows others"):
        answerer("host1", 8080, 80, met, busy, on_node=False)
    partly = Sockets(nobody, {task(): frozenset()}, [task("far")])
    with pytest.raises(NoAnswer, match=r"web\.1 runs on far, which is not in the inventory"):
        answerer("host1", 8080, 80, met, partly, on_node=False)
    assert not answerer("host1", 8080, 80, met, partly, on_node=True).holds


def test_a_port_that_leads_nobody_knows_where_is_not_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, [INGRESS], "host1")
    elsewhere = Sockets({"host1": frozenset(), "host2": frozenset()}, {task(): frozenset({(80, OWN + 1)})})
    monkeypatch.setattr(published, "sockets_of", lambda nodes, tasks, places: elsewhere)
    found = ask("published", service="web", port=8080)
    assert [one.outcome for one in found] == [Outcome.ERROR, Outcome.ERROR]
    assert [link.seen for one in found for link in one.evidence.links] == [None, None]


@pytest.mark.parametrize("mode", ["host", "ingress"])
def test_the_commands_for_a_published_port_fail_where_no_task_runs(mode: str) -> None:
    probe = KINDS["published"].model.model_validate({"service": "web", "port": 443, "mode": mode})
    running = list(KINDS["published"].manual(probe, Where(LAB, "services", {})))[1]
    for printed, holds in (("Running 3 seconds ago", True), ("Preparing 1 second ago", False), ("", False)):
        script = f"docker() {{ echo '{printed}'; }}; {running.script}"
        assert (subprocess.run(["sh", "-c", script], check=False).returncode == 0) is holds


@pytest.mark.parametrize(
    ("port", "mode"), [(22, "ingress"), (22, "host"), (8080, "host"), (53, "ingress"), (8081, "ingress")]
)
def test_a_port_that_something_else_holds_is_not_published(
    monkeypatch: pytest.MonkeyPatch, port: int, mode: str
) -> None:
    serve(monkeypatch, [INGRESS, {**INGRESS, "Protocol": "udp", "PublishedPort": 53}], "host1")
    with pytest.raises(WrongAnswer, match=rf"does not publish port {port} .*publishes ingress tcp 8080, ingress udp"):
        ask("published", service="web", port=port, mode=mode)


def test_a_service_that_publishes_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, cast(Any, None), "host1")
    with pytest.raises(WrongAnswer, match="it publishes nothing"):
        ask("published", service="web", port=22)


def test_a_published_port_is_asked_from_the_other_host(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = serve(monkeypatch, [INGRESS], "host1")
    found = ask("published", service="web", port=8080)
    assert [one.outcome for one in found] == [Outcome.PASS, Outcome.PASS]
    assert sorted(asking) == ["host1", "host2"]
    assert not any("itself" in one.evidence.wanted for one in found)


def test_a_host_port_on_a_node_outside_the_inventory_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, [{**INGRESS, "PublishMode": "host"}], "host1", "far")
    far, near = ask("published", service="web", port=8080, mode="host")
    assert (far.outcome, near.outcome) == (Outcome.ERROR, Outcome.PASS)
    assert "web.1 runs on far, which is not in the inventory" in far.evidence.found


def test_the_only_docker_host_asks_itself_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, [INGRESS], "host1")
    hosts = {name: host for name, host in LAB.inventory.hosts.items() if name != "host2"}
    lab = replace(LAB, inventory=LAB.inventory.model_copy(update={"hosts": hosts}))
    kind = KINDS["published"]
    (found,) = kind.ask(kind.model.model_validate({"service": "web", "port": 8080}), places(lab=lab))
    assert "probed from itself, since there is no other Docker host" in found.evidence.wanted

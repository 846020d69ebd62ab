"""Kinds about services: what is asked, and what must not count as an answer."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clusterlab.checks import service_pairs
from clusterlab.checks.batch import Job, Met
from clusterlab.checks.finding import Finding
from clusterlab.checks.kinds import KINDS, service_reach, tasks
from clusterlab.checks.listening import Socket, on_loopback_alone, parse
from clusterlab.checks.place import NoAnswer, Place
from clusterlab.checks.service_pairs import Asked, carry_out
from clusterlab.checks.swarm_task import Service, Task, youngest
from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.model import load_lab
from clusterlab.remote.completed import Completed
from clusterlab.results import Outcome
from tests.unit.checks.service_lab import MANUAL, ask, places, task

ROW = "   0: {}:{:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n"
LOOPBACK, DNS, ANY = "0100007F", "0B00007F", "00000000"


def test_the_health_of_a_task_outside_the_inventory_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    class Engine:
        def __enter__(self) -> Engine:
            return self

        def __exit__(self, *raised: object) -> None:
            pass

        def containers(self, filters: object) -> list[dict[str, object]]:
            return [{"Names": ["/web.1.x"], "Status": "Up 3 seconds (healthy)"}]

    here = places()
    monkeypatch.setattr(here, "engine", lambda host: Engine())
    running = [{"ID": "a" * 20, "Slot": slot} for slot in (1, 2)]
    seen = SimpleNamespace(
        places=here, service="web", running=running, host=lambda one: {1: "host1", 2: "far"}[one["Slot"]]
    )
    far, near = tasks._healthy(cast(Any, seen))
    assert (far.outcome, near.outcome) == (Outcome.ERROR, Outcome.PASS)
    assert "task 2 of web runs on far, which is not in the inventory" in far.evidence.found


def test_tasks_that_completed_in_an_earlier_run_of_a_job_do_not_count() -> None:
    """An update runs a job again, and the Swarm keeps the tasks of the runs before."""

    def ended(run: int, state: str) -> dict[str, object]:
        return {"JobIteration": {"Index": run}, "Status": {"State": state, "Timestamp": "2024-01-01T00:00:00Z"}}

    report = {"JobStatus": {"JobIteration": {"Index": 7}}}
    for states, holds, found in (
        ([(3, "complete"), (3, "complete"), (7, "failed")], False, "0 of 2 tasks are complete"),
        ([(3, "failed"), (7, "complete"), (7, "complete")], True, "2 of 2 tasks are complete"),
    ):
        seen = SimpleNamespace(
            report=report,
            tasks=[ended(*one) for one in states],
            finding=lambda holds, wanted, found: SimpleNamespace(holds=holds, found=found),
        )
        said = cast(Any, tasks._completed(cast(Any, seen), 2))
        assert (said.holds, said.found) == (holds, found)


def test_a_global_job_must_be_complete_on_each_node_for_it() -> None:
    for nodes, done, holds in (
        (["host1", "host2"], ["host1", "host2"], True),
        (["host1", "host2"], ["host1"], False),
        (["host1"], ["host1", "gone"], True),
        ([], [], False),
    ):
        complete = [{"NodeID": host, "Status": {"State": "complete"}} for host in done]
        seen = SimpleNamespace(
            report={"Spec": {"TaskTemplate": {}}},
            tasks=complete,
            host=lambda task: task["NodeID"],
            matching=lambda constraints, nodes=nodes: nodes,
            finding=lambda holds, wanted, found: SimpleNamespace(holds=holds, found=found),
        )
        assert cast(Any, tasks._completed(cast(Any, seen), "each")).holds is holds


def test_a_task_outside_the_inventory_cannot_ask() -> None:
    asked = Asked(task("far"), Job(47, "ping", "10.0.1.6"), "api.1")
    with pytest.raises(NoAnswer, match=r"web\.1 runs on far, which is not in the inventory"):
        carry_out([asked], places())


def test_a_container_that_is_its_own_only_target_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    here, kind = places("networks"), KINDS["mesh"]
    monkeypatch.setattr(here, "address", lambda wanted: "10.0.1.5")
    alone = kind.model.model_validate({"in": ["left"], "to": ["left"], "by": "ping", "network": "wide"})
    with pytest.raises(UsageError, match="left on host1 has nobody to reach but itself"):
        kind.ask(alone, here)


def sockets(*rows: tuple[str, int]) -> frozenset[Socket]:
    return parse("".join(ROW.format(address, port) for address, port in rows))


def test_what_listens_on_loopback_only() -> None:
    assert on_loopback_alone(sockets((LOOPBACK, 9000), (DNS, 41000))) == [9000]
    assert on_loopback_alone(sockets((LOOPBACK, 9000), (ANY, 80))) == []
    assert on_loopback_alone(sockets((DNS, 41000))) == []


@pytest.mark.parametrize(
    ("rows", "virtual", "outcome", "text"),
    [
        ([(DNS, 41000)], True, Outcome.UNSUPPORTED, "nothing to reach: api listens on no TCP port"),
        ([(LOOPBACK, 9000)], True, Outcome.UNSUPPORTED, "nothing to reach: api listens on loopback only: 9000"),
        ([(LOOPBACK, 9000)], False, Outcome.FAIL, "api listens on loopback only: 9000; ping is answered"),
        ([(DNS, 41000)], False, Outcome.PASS, "1 of 1 answer pings; api listens on no TCP port"),
        ([(ANY, 80), (LOOPBACK, 9000)], False, Outcome.PASS, "2 of 2 answer: ping and ports 80"),
        ([(ANY, 80)], True, Outcome.PASS, "ports 80 answer"),
    ],
)
def test_a_service_on_which_nothing_listens(
    monkeypatch: pytest.MonkeyPatch, rows: list[tuple[str, int]], virtual: bool, outcome: Outcome, text: str
) -> None:
    found = reach(monkeypatch, sockets(*rows), virtual, {"n": "10.0.1.2"})
    assert (found.outcome, found.evidence.found) == (outcome, text)
    assert found.evidence.holds is (outcome is Outcome.PASS)


@pytest.mark.parametrize(("age", "settled"), [(3, False), (301, True)])
def test_a_service_that_has_run_for_long_is_not_waited_for_to_listen(
    monkeypatch: pytest.MonkeyPatch, age: int, settled: bool
) -> None:
    assert reach(monkeypatch, sockets(), True, {"n": "10.0.1.2"}, age=age).settled is settled


def test_the_only_task_of_a_service_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reach(monkeypatch, sockets((ANY, 80)), False, {}, source=task("host2", "api"))
    assert found.outcome is Outcome.UNSUPPORTED
    assert found.evidence.found == "nothing to reach: api.1 on host2 is the only task of api"


def test_the_age_of_tasks_is_that_of_the_process_that_runs_least_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two processes of this computer: that of the test, and one that has just been started."""

    def run(place: Place, argv: Sequence[str], *, timeout: float = 60.0) -> Completed:
        ended = subprocess.run(argv, capture_output=True, text=True, check=False)
        return Completed("host1", "", ended.returncode, ended.stdout, ended.stderr, 0.0)

    here = places()
    monkeypatch.setattr(here, "run", run)
    with subprocess.Popen(["sleep", "60"]) as new:
        try:
            mine, other = replace(task(), pid=os.getpid()), replace(task("host2"), pid=new.pid)
            assert 0 <= youngest([mine, other], here) <= min(2, youngest([mine], here))
            assert youngest([replace(mine, pid=1)], here) > 2
        finally:
            new.kill()


def test_a_task_that_has_the_address_itself_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reach(monkeypatch, sockets((ANY, 80)), False, {}, itself=True)
    assert not found.evidence.holds
    assert found.evidence.found == "10.0.1.5 of api belongs to web.1 on host1 itself, too"
    assert not any(link.seen for link in found.evidence.links)


def test_no_virtual_address_is_not_the_same_as_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reach(monkeypatch, sockets((ANY, 80)), True, {})
    assert not found.evidence.holds
    assert found.evidence.found == "web and api share no network on which api has a virtual address"


def reach(
    monkeypatch: pytest.MonkeyPatch,
    listens: frozenset[Socket],
    virtual: bool,
    addresses: Mapping[str, str],
    *,
    itself: bool = False,
    source: Task | None = None,
    age: int = 0,
) -> Finding:
    api = task("host2", "api")
    service = Service("api", {}, [api], addresses)
    monkeypatch.setattr(service_reach, "services_of", lambda probe, places: (service, [source or task()]))
    monkeypatch.setattr(service_reach, "youngest", lambda tasks, places: age)
    monkeypatch.setattr(service_reach, "listening", lambda tasks, places: {api: listens})
    monkeypatch.setattr(
        service_pairs, "ask_all", lambda host, jobs, places: {job: Met(True, "open", itself=itself) for job in jobs}
    )
    (found,) = ask("service_reach", **{"service": "api", "from": ["web"], "virtual": virtual})
    return found


def test_a_play_cannot_have_a_mesh_of_one_container(tmp_path: Path) -> None:
    text = (MANUAL / "plays" / "networks.yml").read_text()
    pair = "mesh: {in: left, to: right, by: udp, network: wide}"
    assert pair in text
    (tmp_path / "networks.yml").write_text(text.replace(pair, pair.replace("to: right", "to: left")))
    with pytest.raises(ClusterlabError, match="a single container has nobody to reach"):
        load_lab(MANUAL / "inventory.yml", ["networks"], tmp_path)

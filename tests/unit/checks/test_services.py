"""Kinds about services: what is asked, and what must not count as an answer."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clusterlab.checks import batch, service_pairs
from clusterlab.checks.batch import Job, Met
from clusterlab.checks.finding import Finding
from clusterlab.checks.kinds import KINDS, service_reach, tasks
from clusterlab.checks.listening import Socket, on_loopback_alone, parse
from clusterlab.checks.manual.where import Where
from clusterlab.checks.network import entering
from clusterlab.checks.place import NoAnswer, Place
from clusterlab.checks.service_pairs import JOINED, Asked, carry_out, from_tasks_of, printed_by
from clusterlab.checks.swarm_task import Service, Task, youngest
from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.model import load_lab
from clusterlab.remote.completed import Completed
from clusterlab.results import Outcome
from tests.unit.checks.service_lab import LAB, MANUAL, ask, places, task

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


def test_the_command_for_a_job_counts_its_last_run_alone() -> None:
    probe = KINDS["tasks"].model.model_validate({"service": "web", "completed": 2})
    (line,) = KINDS["tasks"].manual(probe, Where(LAB, "services", {}))
    for printed, holds in (
        ("web 0/2 (2/2 completed)", True),
        ("web 0/2 (1/2 completed)", False),
        ("webs 0/2 (2/2 completed)", False),
        ("web 2/2", False),
        ("", False),
    ):
        script = f"docker() {{ echo '{printed}'; }}; {line.script}"
        assert (subprocess.run(["sh", "-c", script], check=False).returncode == 0) is holds


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


def test_the_command_for_a_global_job_compares_it_with_its_tasks() -> None:
    probe = KINDS["tasks"].model.model_validate({"service": "web", "completed": "each"})
    (line,) = KINDS["tasks"].manual(probe, Where(LAB, "services", {}))
    for printed, holds in (
        ("web.one Complete 2 seconds ago\nweb.two Complete 2 seconds ago", True),
        ("web.one Complete 2 seconds ago\n \\_ web.one Failed 4 seconds ago", True),
        ("web.one Complete 2 seconds ago\nweb.two Failed 2 seconds ago", False),
        ("web.one Running 2 seconds ago", False),
        ("", False),
    ):
        script = f"docker() {{ cat <<'END'\n{printed}\nEND\n}}; {line.script}"
        assert (subprocess.run(["sh", "-c", script], check=False).returncode == 0) is holds, printed


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


def test_a_command_of_many_probes_lists_the_addresses_of_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this process: its own network is that of the test."""
    here, me = places(), os.getpid()

    def run(place: Place, argv: Sequence[str], *, timeout: float = 60.0) -> Completed:
        # Entering a network needs root; here it is the same one.
        argv = [argv[0], argv[1], argv[2].replace(" ".join(entering("$2")), ""), *argv[3:]]
        ended = subprocess.run(argv, capture_output=True, text=True, check=False)
        return Completed("host1", "", ended.returncode, ended.stdout, ended.stderr, 0.0)

    monkeypatch.setattr(here, "run", run)
    with socket.create_server(("127.0.0.1", 0)) as server:
        job = Job(me, "tcp", "127.0.0.1", server.getsockname()[1])
        met = batch.ask_all("host1", [job], here)[job]
    assert (met.reached, met.itself) == (True, True)


@pytest.mark.parametrize(
    ("said", "reached", "found"),
    [
        ("* Connected to 10.0.1.6 (10.0.1.6) port 80", True, "open"),
        ("* Established connection to 10.0.1.6 (10.0.1.6 port 80) from 10.0.1.5 port 40000", True, "open"),
        ("* Established 2nd connection to 10.0.1.6 (10.0.1.6 port 80) from 10.0.1.5 port 40000", True, "open"),
        ("* connect to 10.0.1.6 port 80 from 10.0.1.5 port 40000 failed: Connection refused", False, "refused"),
        ("*   Trying 10.0.1.6:80...", False, "timed out"),
    ],
)
def test_a_probe_over_a_card_knows_the_words_of_each_curl(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, reached: bool, found: str
) -> None:
    """Curl waits for the server until it is ended, as timeout(1) reports it with 124."""
    programs = {"awk": "echo eth0", "curl": f"echo '{said}' >&2; exit {7 if 'failed' in said else 124}"}
    here = places()

    def run(place: Place, argv: Sequence[str], *, timeout: float = 60.0) -> Completed:
        argv = [argv[0], argv[1], argv[2].replace(" ".join(entering("$2")), ""), *argv[3:]]
        ended = faked(tmp_path, programs, argv)
        return Completed("host1", "", ended.returncode, ended.stdout, ended.stderr, 0.0)

    monkeypatch.setattr(here, "run", run)
    job = Job(os.getpid(), "tcp", "10.0.1.6", 80, near=True)
    met = batch.ask_all("host1", [job], here)[job]
    assert (met.reached, met.found) == (reached, found)


def faked(folder: Path, programs: Mapping[str, str], argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command that finds shell scripts in place of some programs."""
    for name, script in programs.items():
        folder.joinpath(name).write_text(f"#!/bin/sh\n{script}\n")
        folder.joinpath(name).chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "nodes_of_web": "host1"}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("cards", "addresses", "answers", "holds"),
    [
        ("eth0", "n1/10.0.1.6", False, True),
        ("eth0\neth1", "n1/10.0.1.6", True, False),
        ("", "n1/10.0.1.6", False, False),  # nobody is asked
        ("eth0", "", False, False),
    ],
)
def test_the_commands_for_apart_ask_over_a_card(
    tmp_path: Path, cards: str, addresses: str, answers: bool, holds: bool
) -> None:
    kind = KINDS["service_apart"]
    probe = kind.model.model_validate({"service": "api", "from": ["web"]})
    lines = [line for line in kind.manual(probe, Where(LAB, "services", {})) if line.proof]
    programs = {"docker": "echo 47", "awk": f"printf '{cards}'", "nsenter": f"exit {0 if answers else 1}"}
    script = f"addresses_of_api_by_network='{addresses}'; {lines[0].proof}"
    assert (faked(tmp_path, programs, ["sh", "-c", script]).returncode == 0) is holds


@pytest.mark.parametrize(
    ("addresses", "holds"),
    [
        ("n1/10.0.1.5", True),
        ("n1/10.0.1.5\nn2/10.0.2.5", True),  # nobody answers there, and nobody is asked
        ("n1/10.0.1.5\nn1/10.0.1.6", False),
        ("n2/10.0.2.5", False),  # they share no network
        ("", False),
    ],
)
def test_the_commands_for_reach_ask_over_shared_networks_alone(tmp_path: Path, addresses: str, holds: bool) -> None:
    kind = KINDS["service_reach"]
    probe = kind.model.model_validate({"service": "api", "from": ["web"]})
    lines = [line for line in kind.manual(probe, Where(LAB, "services", {})) if line.proof]
    programs = {
        "docker": "case $* in *Networks*) echo '47 n1';; *) echo 47;; esac",
        "nsenter": "case $* in *ping*10.0.1.5) ;; *) exit 1;; esac",
    }
    script = f"addresses_of_api_by_network='{addresses}'; {lines[0].proof}"
    assert (faked(tmp_path, programs, ["sh", "-c", script]).returncode == 0) is holds


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("n1 10.0.1.5/24", "n1/10.0.1.5"),
        ("n1 10.0.1.5", "n1/10.0.1.5"),
        ("n1 fd00::5/64", "n1/fd00::5"),
        ("n1 ", ""),
        ("n1 invalid IP", ""),
        ("", ""),
    ],
)
def test_addresses_by_network_in_commands(line: str, printed: str) -> None:
    ended = subprocess.run(["sh", "-c", JOINED], input=f"{line}\n", capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == printed


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


@pytest.mark.parametrize(
    ("ids", "docker_fails", "nodes", "holds"),
    [
        ("47", False, "host1", True),
        ("", False, "host1\nhost2", False),
        ("", False, "host2", True),
        ("", True, "host2", False),
        ("", False, "", False),
    ],
)
def test_a_loop_over_tasks_fails_when_nothing_could_be_looped_over(
    tmp_path: Path, ids: str, docker_fails: bool, nodes: str, holds: bool
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\nprintf '{ids}'\nexit {int(docker_fails)}\n")
    docker.chmod(0o755)
    loop = from_tasks_of(["web"], "host1", "[ $pid = 47 ]", Where(LAB, "services", {}))
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "nodes_of_web": nodes}
    for script in (loop, printed_by(loop, "sort"), f"found=$({printed_by(loop, 'sort')})"):
        ended = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, check=False)
        assert (ended.returncode == 0) is holds


def test_a_play_cannot_have_a_mesh_of_one_container(tmp_path: Path) -> None:
    text = (MANUAL / "plays" / "networks.yml").read_text()
    pair = "mesh: {in: left, to: right, by: udp, network: wide}"
    assert pair in text
    (tmp_path / "networks.yml").write_text(text.replace(pair, pair.replace("to: right", "to: left")))
    with pytest.raises(ClusterlabError, match="a single container has nobody to reach"):
        load_lab(MANUAL / "inventory.yml", ["networks"], tmp_path)

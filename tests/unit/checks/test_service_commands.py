"""The commands that kinds about services show: they prove the same as the check."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from clusterlab.checks import batch
from clusterlab.checks.batch import Job
from clusterlab.checks.kinds import KINDS
from clusterlab.checks.manual.where import Where
from clusterlab.checks.network import entering
from clusterlab.checks.place import Place
from clusterlab.checks.service_pairs import JOINED, from_tasks_of, printed_by
from clusterlab.remote.completed import Completed
from tests.unit.checks.service_lab import LAB, places


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

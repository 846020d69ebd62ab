"""What a person sees of hosts: `-v` while something is done, and `logs` of hosts, containers and tasks together."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clusterlab.machines import recall_machines
from clusterlab.progress import Silent

LAB = f"watch-{os.getpid()}"
SECRET = "hunter2-watch"
BODY = " ".join(f"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC{number:02}" for number in range(20))
KEY = f'"-----BEGIN PRIVATE KEY-----" {BODY} "-----END PRIVATE KEY-----"'
INVENTORY = f"""\
lab: {LAB}
machines: namespaces
network: {{subnet: 10.66.0.0/24}}
hosts:
  host1: {{address: 10.66.0.11, roles: [docker, swarm_manager]}}
  host2: {{address: 10.66.0.12, roles: [docker, swarm_worker]}}
images: {{shell: {{build: busybox}}}}
"""
PLAY = f"""\
title: Two that talk
containers:
  talker:
    host: host2
    image: shell
    environment: {{DOOR: {SECRET}}}
    command: [sh, -c, 'i=0; while :; do i=$((i+1)); echo "tick $i with $DOOR"; sleep 0.5; done']
  careless:
    host: host2
    image: shell
    command: [sh, -c, 'printf "%s\\n" {KEY}; exec sleep 9999']
services:
  api:
    image: shell
    command: [sh, -c, 'echo the task says hello; exec sleep infinity']
    deploy: {{placement: {{constraints: [node.hostname == host1]}}}}
checks:
  - title: the talker can run a command
    command: {{in: talker, run: id -u, stdout: "0"}}
"""
LATE = """docker run -d --name late "$(docker inspect -f '{{.Image}}' talker)" \\
sh -c 'for i in $(seq 30); do echo "late line $i"; done; exec sleep 9999'"""
CLUSTERLAB = [sys.executable, "-m", "clusterlab"]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("watching")
    for name, text in {"inventory/default.yml": INVENTORY, "playbooks/talk.yml": PLAY}.items():
        (folder / name).parent.mkdir()
        (folder / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        try:
            yield folder
        finally:
            recall_machines(LAB).down(Silent())


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    """The command line in that folder; the lab runs, and what was done for that is in `folder/run.txt`."""

    def clusterlab(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*CLUSTERLAB, *words], cwd=folder, capture_output=True, text=True, timeout=180)

    done = clusterlab("run", "-v")
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "run.txt").write_text(done.stderr)
    return clusterlab


def test_verbose_shows_commands_requests_and_connections_without_secrets(run: Run, folder: Path) -> None:
    shown = (folder / "run.txt").read_text()
    assert re.search(r"^  host2: connect to root@\S+:\d+ -> connected, ", shown, re.MULTILINE)
    assert re.search(r"^  host2: POST /v[0-9.]+/containers/create -> 201, ", shown, re.MULTILINE)
    assert re.search(r"^  host2: in talker: sh -c 'id -u' -> exit 0, ", shown, re.MULTILINE)
    assert re.search(r"^  host1: .+ -> exit 0, [0-9.]+ s$", shown, re.MULTILINE)
    assert SECRET not in shown
    quiet = run("check")
    assert quiet.returncode == 0
    assert " -> " not in quiet.stderr


def test_logs_of_hosts_containers_and_tasks_come_together_in_their_order(run: Run) -> None:
    done = run("logs", "--last", "2000")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(re.fullmatch(r"\d\d:\d\d:\d\d host1 api\.1 the task says hello", line) for line in lines), done.stdout
    assert any(re.fullmatch(r"\d\d:\d\d:\d\d host2 talker tick 1 with .*", line) for line in lines)
    assert any(" host1 journal " in line for line in lines)
    assert SECRET not in done.stdout
    times = [line[:8] for line in lines]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("names", "sources"),
    [
        (["api"], {"host1 api.1"}),
        (["host2"], {"host2 journal", "host2 talker", "host2 careless"}),
        (["talker"], {"host2 talker"}),
    ],
)
def test_only_what_is_named_is_shown(names: list[str], sources: set[str], run: Run) -> None:
    done = run("logs", *names)
    assert {" ".join(line.split()[1:3]) for line in done.stdout.splitlines()} == sources, done.stdout


@pytest.mark.parametrize("last", ["50", "5"])
def test_no_line_of_a_private_key_is_shown(last: str, run: Run) -> None:
    done = run("logs", "careless", "--last", last)
    assert re.fullmatch(r"\d\d:\d\d:\d\d host2 careless \[redacted\]\n", done.stdout), done.stdout


def test_values_of_containers_of_no_play_are_not_shown(run: Run, folder: Path, tmp_path: Path) -> None:
    command = [*CLUSTERLAB, "logs", "talker", "--inventory", str(folder / "inventory/default.yml")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert re.search(r" talker tick \d+ with \[redacted\]\n", done.stdout), done.stdout + done.stderr
    assert SECRET not in done.stdout


def test_a_name_that_nothing_has_is_wrong_usage(run: Run) -> None:
    done = run("logs", "tlaker")
    assert done.returncode == 2
    assert "error: nothing on the hosts is called tlaker" in done.stderr
    assert "talker" in done.stderr.partition("Known:")[2]


def following(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [*CLUSTERLAB, "logs", "--follow", *words]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(process: subprocess.Popen[str], pattern: str) -> list[str]:
    """The lines up to the first that matches; the timeout of the test ends a process that never prints it."""
    assert process.stdout
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if re.search(pattern, line):
            return lines
    pytest.fail(f"it ended without {pattern}: {lines[-5:]}; {process.stderr and process.stderr.read()}")


def test_following_shows_each_new_line_once_also_of_what_begins_later(run: Run, folder: Path) -> None:
    process = following(folder, "talker", "--last", "1")
    try:
        first = until(process, r"tick \d+")
        begun = int(re.findall(r"tick (\d+)", first[-1])[0])
        later = until(process, rf"tick {begun + 6}\b")
        numbers = [int(number) for line in later for number in re.findall(r"tick (\d+)", line)]
        assert numbers == list(range(begun + 1, begun + 7))
        assert run("ssh", "host2", "--", "docker", "restart", "-t", "0", "talker").returncode == 0
        until(process, r"tick 1\b")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")
    finally:
        process.kill()
        process.wait()


def test_what_begins_later_is_shown_from_its_beginning(run: Run, folder: Path) -> None:
    process = following(folder, "host2", "--last", "1")
    try:
        until(process, r"talker")
        begun = run("ssh", "host2", "--", LATE)
        assert begun.returncode == 0, begun.stderr
        lines = until(process, r"late line 30$")
        assert [line.split()[-1] for line in lines if " late line " in line] == [str(n) for n in range(1, 31)]
    finally:
        process.kill()
        process.wait()
        run("ssh", "host2", "--", "docker rm -f late")


def test_following_ends_when_nobody_reads_it_any_more(run: Run, folder: Path) -> None:
    process = following(folder)
    try:
        until(process, r"talker")
        assert process.stdout
        process.stdout.close()
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()


def test_what_a_fault_would_do_and_what_heal_would_heal_is_shown(run: Run) -> None:
    spec = "partition: {between: [host1, host2]}"
    shown = run("fault", spec, "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("partition (between host1 and host2); hosts heal themselves after 180 s"), (
        shown.stdout
    )
    assert "host2:\n" in shown.stdout
    nothing = (
        "No fault was found.\n"
        "would be done in any case, where it is not so already: resume, power_on, plug (host1, host2)\n"
    )
    assert run("heal", "--dry-run").stdout == nothing
    assert run("fault", spec).returncode == 0
    for words in ([], ["--hosts"]):
        assert re.match(r"would be healed: partition .*on host", run("heal", "--dry-run", *words).stdout)
    assert run("check").returncode == 3, "heal --dry-run healed it"
    assert run("heal").returncode == 0
    assert run("heal", "--dry-run").stdout == nothing

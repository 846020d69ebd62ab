"""Doctor on real engines: silent on a sound lab, the right code where one thing is broken, and nothing is changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from clusterlab.checks import run_checks
from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.codes import cl211, cl217, cl302, cl303, cl313
from clusterlab.doctor.examine import examine
from clusterlab.doctor.finding import Diagnosed
from clusterlab.doctor.gather import ATTEMPTS, probes_between
from clusterlab.doctor.run import examined, of_hosts, of_lab
from clusterlab.machines.existing import user_ssh
from clusterlab.model.playbook import Play
from clusterlab.pipeline.diagnosed import diagnosed
from clusterlab.progress import Silent
from clusterlab.remote import Host, Hosts, ssh_config
from clusterlab.results import Outcome
from clusterlab.stacks import Stack
from clusterlab.waiting import wait_until
from tests.support.doctor_cases import PROPERTIES, compare, parameters, read_case, stack_of, told, ways
from tests.support.doctor_lab import ENGINES, Patient, patient, read, rest, seen, unsettled

pytestmark = pytest.mark.engine

CASES = sorted(
    parameters("engine"),
    key=lambda one: str(one.id).startswith(
        "CL204"
    ),  # gossip takes half a minute to find a node again whose address was gone
)
PROBED = parameters("probe")
HOSTNAMES = Path(__file__).parents[2] / "examples" / "diagnoses" / "hostnames"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def up() -> Iterator[Patient]:
    with patient(f"doctor-{os.getpid()}", "10.61.0.0/24") as lab:
        yield lab


@pytest.fixture(autouse=True)
def at_any_age(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tests make is younger than what doctor looks at."""
    monkeypatch.setattr(cl211, "YOUNG", 0.0)
    monkeypatch.setattr(cl217, "_YOUNG", -1.0)
    monkeypatch.setattr(cl302, "_YOUNG", 0.0)
    monkeypatch.setattr(cl303, "_YOUNG", 0.0)
    monkeypatch.setattr(cl313, "YOUNG", 0.0)


def test_sound_and_unchanged(up: Patient) -> None:
    """No error or warning, every code is evaluated, one command per host, and nothing on the hosts is different."""
    rest(up)
    before = {name: _state(up, name) for name in up.hosts}
    began = time.time()
    run = examined(of_lab(up.lab), Silent())
    after = {name: _state(up, name) for name in up.hosts}
    assert not [told(one) for one in run.findings if one.code not in PROPERTIES]
    assert not run.unknown, run.unknown
    assert run.exit_code == 0
    for counts in run.counts.values():
        assert counts["commands"] == 1
        assert counts["connections"] == 1
    assert sum(counts.get("requests", 0) for counts in run.counts.values()) <= 6 * len(ENGINES)
    for name in up.hosts:
        assert before[name] == after[name], set(before[name].splitlines()) ^ set(after[name].splitlines())
    for host in ENGINES:
        events = f"docker events --since {began:.0f} --until {time.time():.0f} --format '{{{{.Type}}}} {{{{.Action}}}}'"
        assert up.hosts[host].run(events, check=True).stdout == ""


def test_a_manager_is_enough(up: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other nodes are found through the Swarm, and reached through the user's SSH configuration."""
    config = tmp_path / "config"
    config.write_text(ssh_config(up.machines.targets()))
    monkeypatch.setattr(user_ssh, "USER_CONFIG", config)
    run = examined(of_hosts(["host1"]), Silent())
    assert set(run.hosts) == set(ENGINES)
    assert run.exit_code == 0, run.unknown
    worker = examined(of_hosts(["host2"]), Silent())
    assert worker.exit_code == 3
    assert {one.reason for one in worker.unknown} == {"no manager was queried"}


INGRESS_MAC = "docker network inspect -f '{{with index .Containers \"ingress-sbox\"}}{{.MacAddress}}{{end}}' ingress"


def _state(up: Patient, host: str) -> str:
    """Rules, mounts, links, modules, settings, processes and files of a host, without those of this question.

    Of the files, not those that an engine in a Swarm or a login writes by itself.
    """
    question = """
        iptables-save 2>/dev/null | grep -v '^[#:]'; cat /proc/1/mountinfo; ip -o link; ls /run/docker/netns /sys/module
        sysctl -a 2>/dev/null | grep -E '^net.ipv4.(ip_forward|conf)'; docker ps -aq 2>/dev/null
        find /etc /mnt /srv /run /var/lib/docker -xdev -type f ! -path '/var/lib/docker/swarm/*' \
          ! -path '/var/lib/docker/network/*' ! -path '/run/docker/*' ! -path '/run/containerd/*' ! -name motd.dynamic \
          -printf '%p %s %T@\n' 2>/dev/null | sort
        ps -eo ppid,comm --no-headers | grep -Ev ' (sshd.*|sh|ps|grep|timeout|env|bash|docker|sort|sudo)$' | sort
    """
    return up.hosts[host].run(question, check=True).stdout


@contextmanager
def broken(up: Patient, given: dict[str, Any]) -> Iterator[None]:
    try:
        for host, command in given["break"].items():
            up.hosts[host].run(_filled(command, up), check=True, timeout=60)
        for host, command in given.get("wait", {}).items():
            wait_until(lambda h=host, c=command: up.hosts[h].run(_filled(c, up)).ok, command, 30.0)  # type: ignore[misc]
        yield
    finally:
        for host, command in given.get("heal", {}).items():
            up.hosts[host].run(_filled(command, up), check=True, timeout=60)
        wait_until(lambda: not unsettled(up), "the lab to be as before", 60.0, seen=lambda: unsettled(up))
        wait_until(lambda: not _left(up), "no finding", 60.0, seen=lambda: str(_left(up)))


def _filled(command: str, up: Patient) -> str:
    for name, host in up.lab.inventory.hosts.items():
        command = command.replace(f"<{name}>", str(host.address))
        if (ingress := f"<{name} ingress mac>") in command:
            command = command.replace(ingress, up.hosts[name].run(INGRESS_MAC, check=True).stdout.strip())
    return command


def _examined(up: Patient, probe: bool = False) -> Diagnosed:
    return examine(seen(up, probe))


def _deployable(up: Patient, stack: Stack) -> Diagnosed:
    """With what a stack would meet."""
    hosts = {name: up.hosts[name] for name in up.hosts}
    return examined(replace(of_lab(up.lab), stack=stack), Silent(), hosts=hosts).diagnosed


@pytest.mark.parametrize(("path", "at"), CASES)
def test_broken(up: Patient, path: Path, at: int) -> None:
    way, stack = ways(path, "engine")[at], read_case(path).get("stack")
    with broken(up, way):
        compare(path.stem, way, _deployable(up, stack_of(stack)) if stack else _examined(up))


@pytest.mark.parametrize(("path", "at"), PROBED)
def test_broken_where_only_probes_show_it(up: Patient, path: Path, at: int) -> None:
    way = ways(path, "probe")[at]
    with broken(up, way):
        assert not [told(one) for one in _examined(up).findings if one.code == path.stem and "INPUT" in told(one)]
        compare(path.stem, way, _examined(up, probe=True))


def test_probes_of_a_sound_lab(up: Patient) -> None:
    """They all arrive, and nothing is left of them.

    They cost one more command, and another one each time that a busy machine kept the hosts from listening together.
    """
    rest(up)
    before = {name: _state(up, name) for name in up.hosts}
    run = examined(replace(of_lab(up.lab), probe=True), Silent())
    after = {name: _state(up, name) for name in up.hosts}
    assert not [told(one) for one in run.findings if one.code not in PROPERTIES]
    assert all("No such device" in one.reason for one in run.unknown), "these kernels have no NFS, and no other lack"
    (commands,) = {counts["commands"] for name, counts in run.counts.items() if name in ENGINES}
    assert 2 <= commands <= 1 + ATTEMPTS
    for name in up.hosts:
        assert before[name] == after[name], set(before[name].splitlines()) ^ set(after[name].splitlines())


def test_a_code_of_another_package(up: Patient, tmp_path: Path) -> None:
    """`clusterlab doctor` names it on the host that it is about, and on no other."""
    config = tmp_path / "config"
    config.write_text(ssh_config(up.machines.targets()))
    environment = {**os.environ, "PYTHONPATH": f"{HOSTNAMES}{os.pathsep}{ROOT}", "XDG_STATE_HOME": str(tmp_path)}
    program = (  # one that hangs says where
        "import faulthandler, sys; faulthandler.dump_traceback_later(90, exit=True); from pathlib import Path; "
        "from clusterlab.machines.existing import user_ssh; user_ssh.USER_CONFIG = Path(sys.argv.pop(1)); "
        "from clusterlab.cli.main import main; main()"
    )

    def found() -> list[str]:
        argv = [sys.executable, "-c", program, str(config), "doctor", *ENGINES, "--json=-"]
        ended = subprocess.run(
            argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120
        )
        assert ended.stdout, ended.stderr
        findings = json.loads(ended.stdout)["findings"]
        return [one["cause"] for one in findings if one["code"] == "SITE101"]

    assert found() == []
    up.hosts["host2"].run("hostname old", check=True)
    try:
        assert found() == ["host2 calls itself old"]
    finally:
        up.hosts["host2"].run("hostname host2", check=True)


def test_a_failed_statement_names_the_code(up: Patient) -> None:
    """`check` and `run` ask doctor about the hosts of what failed, with one reading, and name what it finds there."""
    check = {"title": "host1 reaches the gossip of host2", "port": {"on": "host1", "to": "host2", "port": 7946}}
    other = {"title": "host3 has no such file", "command": {"on": "host3", "run": "test -e /none"}}
    play = Play.model_validate({"title": "Ports", "checks": [check, other]})
    lab = replace(up.lab, plays={"ports": play})
    drop = {"break": {"host2": "iptables -I INPUT -p tcp --dport 7946 -j DROP"}}
    with broken(up, {**drop, "heal": {"host2": "iptables -D INPUT -p tcp --dport 7946 -j DROP"}}):
        results = run_checks(lab, up.hosts, up.machines.unsupported(), lambda result: None, Silent())
        before = up.hosts["host1"].counts["commands"]
        named = diagnosed(lab, up.hosts, results, Silent())
        assert up.hosts["host1"].counts["commands"] - before <= 2, "one reading, and another of what may pass by itself"
    assert [one.outcome for one in named] == [Outcome.FAIL, Outcome.FAIL]
    assert [[one.code for one in result.doctor] for result in named] == [["CL306"], []]
    assert "7946/tcp is blocked" in named[0].doctor[0].cause


def test_a_host_that_begins_when_the_others_have_ended_is_asked_again(up: Patient) -> None:
    """Its peers heard nothing of it in the first attempt, and it is not taken for cut off."""
    answers = read(up)
    before = {name: up.hosts[name].counts["commands"] for name in ENGINES}
    with Hosts({name: target for name, target in up.machines.targets().items() if name in ENGINES}) as others:
        process = up.hosts["host3"].run(SESSION, check=True).stdout.strip()
        others["host3"].run(f"kill -STOP {process}", check=True)
        before["host3"] += 1
        hosts = {name: up.hosts[name] for name in up.hosts}
        probes = Thread(target=lambda: answers.update(probes_between(hosts, answers)))
        probes.start()
        try:
            wait_until(lambda: listening(others["host1"]) == 1, "host1 to listen", 20.0)
            wait_until(lambda: listening(others["host1"]) == 0, "host1 to end", 30.0)
        finally:
            others["host3"].run(f"kill -CONT {process}", check=True)
            probes.join()
    cluster = Cluster(answers)
    assert not cluster.apart
    found = examine(cluster)
    assert not [told(one) for one in found.findings if one.code not in PROPERTIES]
    assert all("No such device" in one.reason for one in found.unknown), found.unknown
    assert {up.hosts[name].counts["commands"] - before[name] for name in ENGINES} <= {2, ATTEMPTS}


SESSION = """
at=$$
until grep -q '^Name:.*sshd' /proc/$at/status; do at=$(sed -n 's/^PPid:\\t//p' /proc/$at/status); done
echo "$at"
"""
"""The process that serves this connection."""


def listening(host: Host) -> int:
    """The number of processes that listen for probes."""
    return int(host.run("ps -eo args --no-headers | grep -c '^org.clusterlab.doctor'").stdout)


def _left(up: Patient) -> list[str]:
    return [told(one) for one in _examined(up).findings if one.code not in PROPERTIES]

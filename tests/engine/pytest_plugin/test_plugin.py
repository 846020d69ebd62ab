"""pytest with the plug-in, in a folder of its own, on real engines: what people run in their repositories."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from clusterlab.machines import recall_machines
from clusterlab.progress import Silent
from clusterlab.remote import Hosts

LAB = f"plugin-{os.getpid()}"
INVENTORY = f"""\
lab: {LAB}
machines: namespaces
network: {{subnet: 10.61.0.0/24}}
hosts:
  host-1: {{address: 10.61.0.11, roles: [docker, swarm_manager]}}
  host-2: {{address: 10.61.0.12, roles: [docker, swarm_worker]}}
images: {{shell: {{build: busybox}}, "tools/shell:1": {{build: busybox}}}}
"""
STACK = """\
services:
  each:
    image: tools/shell:1
    command: [sleep, infinity]
    stop_grace_period: 1s
    deploy: {replicas: 2, update_config: {parallelism: 0, monitor: 1s}}
"""
STACK_PLAY = "title: A stack\nstack: {files: shop/stack.yml}\n"
CONFTEST = """\
from clusterlab_uptime import KIND

def pytest_clusterlab_kinds():
    return [KIND]
"""
PLAY = """\
title: Two containers
containers:
  alpha: {host: host-1, image: shell, command: [sh, -c, "echo alpha has begun; exec sleep infinity"]}
  beta: {host: host-1, image: shell, command: [sleep, infinity]}
checks:
  - title: alpha can run a command
    command: {in: alpha, run: echo hello, stdout: hello}
  - title: beta has a file
    file: {in: beta, path: /etc/nothing-here}
  - title: a stopped container is started again
    steps:
      - do: {stop: beta}
      - do: {start: beta}
      - command: {in: beta, run: uname, stdout: Linux}
"""
TESTS = """\
import pytest

def test_hosts(hosts, host_1, lab):
    assert [host.name for host in hosts("docker")] == ["host-1", "host-2"]
    assert host_1.run("hostname", check=True).stdout.strip() == "host-1"
    assert hosts["host-2"].run("true").ok

def test_a_container_is_stopped(container):
    alpha = container("alpha")
    assert alpha.run("cat /etc/hostname").ok
    alpha.stop()
    assert not alpha.inspect()["State"]["Running"]

def test_it_runs_again(container, eventually):
    eventually(lambda: container("alpha").run("true"), within="5s")
    assert container("alpha").inspect()["State"]["Running"]

def test_a_check(check):
    check("ping", on="host-2", to="host-1")
    with pytest.raises(AssertionError, match="refused|wanted"):
        check("port", on="host-2", to="host-1", port=9, within="0s")

def test_wrong(check, container):
    check("pong", on="host-2")

def test_a_kind_of_the_conftest(check):
    check("uptime", on="host-1", at_least="1s")

def test_a_stack_is_asked_changed_and_proven_again(stack, eventually):
    shop = stack("shop")
    assert shop.name == "shop" and shop.services == ["each"]
    each = shop.service("each")
    assert each.run("uname", timeout=20).stdout.strip() == "Linux"
    each.scale(3)
    eventually(lambda: expect(len(each.tasks()), 3), within="30s")

def expect(found, wanted):
    assert found == wanted

def test_the_stack_is_as_before_and_its_statements_hold(stack):
    shop = stack("shop")
    assert len(shop.service("each").tasks()) == 2
    shop.check()

def test_a_fault_is_in_effect_and_healed(fault, check):
    with fault("partition", between=["host-1", "host-2"]) as broken:
        assert broken.seen and set(broken.hosts) == {"host-1", "host-2"}
        check("ping", on="host-1", to="host-2", reachable=False, control={"to": "host-1"})
    check("ping", on="host-1", to="host-2")
    fault("isolate", host="host-2")

def test_the_fault_that_was_left_is_gone(check):
    check("ping", on="host-1", to="host-2")

def test_no_such_fault(fault):
    fault("partion")

def test_fails_with_logs(container):
    alpha = container("alpha")
    assert alpha.host.run("logger hello; true").ok
    assert not "alpha is asked"

def test_eventually_ends(eventually):
    def never():
        assert 1 == 2
    eventually(never, within="0.1s")
"""
UPTIME = Path(__file__).parents[2] / "examples/checks/uptime"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """pytest in a folder with an inventory, a play and tests; the lab is up, and gone at the end."""
    folder = tmp_path_factory.mktemp("repository")
    files = {
        "inventory/lab.yml": INVENTORY,
        "playbooks/two.yml": PLAY,
        "playbooks/shop.yml": STACK_PLAY,
        "playbooks/shop/stack.yml": STACK,
        "test_own.py": TESTS,
        "conftest.py": CONFTEST,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "200"}
    environment["PYTHONPATH"] = str(UPTIME)

    def pytest_run(*words: str) -> subprocess.CompletedProcess[str]:
        plugins = ["-p", "clusterlab.pytest_plugin", "-p", "xdist", "-p", "no:cacheprovider"]
        plugins = plugins[:4] if "--lf" in words else plugins
        command = [sys.executable, "-m", "pytest", *plugins, "--clusterlab", "lab", *words]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)

    try:
        first = pytest_run("--clusterlab-run", "-k", "alpha or shop", "playbooks")
        assert " passed, 2 deselected" in first.stdout, first.stdout + first.stderr
        assert "failed" not in first.stdout
        yield pytest_run
    finally:
        recall_machines(LAB).down(Silent())


def running() -> dict[str, bool]:
    """Whether the containers of the play run; those of tasks have names of their own."""
    with Hosts(recall_machines(LAB).targets()) as hosts:
        found = {one["Names"][0][1:]: one["State"] == "running" for one in hosts["host-1"].docker.containers(all=True)}
        return {name: runs for name, runs in found.items() if name in ("alpha", "beta")}


def test_each_statement_is_an_item_with_its_evidence_as_the_text_of_its_failure(run: Run, tmp_path: Path) -> None:
    done = run("playbooks/two.yml", f"--junitxml={tmp_path}/junit.xml", "-o", "junit_logging=all", "-v")
    assert "2 passed" in done.stdout, done.stdout
    assert "1 failed" in done.stdout
    assert "playbooks/two.yml::a stopped container is started again PASSED" in done.stdout
    assert "/etc/nothing-here" in done.stdout
    assert "Traceback" not in done.stdout
    cases = {case.get("name"): case for case in ElementTree.parse(tmp_path / "junit.xml").iter("testcase")}
    (failure,) = cases["beta has a file"].iter("failure")
    assert "beta on host-1" in str(failure.text)
    assert " host-1 " in logs_of(cases["beta has a file"])
    assert running() == {"alpha": True, "beta": True}


def logs_of(case: ElementTree.Element) -> str:
    return "".join(str(one.text) for one in case.iter("system-out"))


def test_statements_that_follow_from_a_stack_are_items(run: Run) -> None:
    done = run("playbooks/shop.yml", "-v")
    passed = [line for line in done.stdout.splitlines() if line.startswith("playbooks/shop.yml::") and "PASSED" in line]
    assert len(passed) >= 3, done.stdout
    assert "failed" not in done.stdout


def test_several_processes_share_the_lab(run: Run) -> None:
    wanted = "not wrong and not ends and not file and not no_such and not logs"
    done = run("playbooks/two.yml", "test_own.py", "-k", wanted, "-n", "2")
    assert "11 passed" in done.stdout, done.stdout
    assert running() == {"alpha": True, "beta": True}


def test_fixtures_ask_and_change_and_what_is_changed_is_undone(run: Run, tmp_path: Path) -> None:
    done = run("test_own.py", f"--junitxml={tmp_path}/junit.xml", "-o", "junit_logging=all")
    assert "9 passed" in done.stdout, done.stdout
    assert "4 failed" in done.stdout
    cases = {case.get("name"): case for case in ElementTree.parse(tmp_path / "junit.xml").iter("testcase")}
    logs = logs_of(cases["test_fails_with_logs"])
    for said in ("alpha has begun", " host-2 "):
        assert said in logs
    assert "host-" not in logs_of(cases["test_eventually_ends"])
    assert "there is no kind of fault 'partion'" in done.stdout
    assert "there is no kind of check 'pong'" in done.stdout
    assert "still failing after 0.1s" in done.stdout
    assert running() == {"alpha": True, "beta": True}


def test_what_last_failed_is_asked_again(run: Run) -> None:
    assert "1 failed" in run("playbooks/two.yml", "--lf").stdout
    again = run("playbooks/two.yml", "--lf").stdout
    assert "1 failed" in again
    assert "passed" not in again


def test_a_wrong_inventory_is_wrong_usage(run: Run) -> None:
    done = run("--clusterlab", "nowhere.yml")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "nowhere.yml" in done.stderr
    assert "Traceback" not in done.stderr

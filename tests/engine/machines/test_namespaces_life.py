"""The life of a namespaces lab: up, down, and what interrupts them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.machines import open_machines, recall_machines
from clusterlab.machines.changing import Values
from clusterlab.machines.namespaces.machines import NamespacesMachines
from clusterlab.machines.state import LabState
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from tests.support import footprint
from tests.support.labs import namespaces_lab

SUBNET = "10.62.0.0/24"
BACKGROUND = "tests.support.up_in_background"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def lab(state_home: Path) -> Iterator[Lab]:
    lab = namespaces_lab(f"life-{os.getpid()}", SUBNET)
    yield lab
    open_machines(lab).down(Silent())
    assert not footprint.left(lab.name, state_home, set())


def _background(verb: str, lab: Lab) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", BACKGROUND, verb, lab.name, SUBNET]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _kill_when(process: subprocess.Popen[str], text: str, seconds_later: float) -> None:
    """kill -9 so many seconds after the process has said `text`."""
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            time.sleep(seconds_later)
            break
    process.kill()
    process.wait()
    process.stdout.close()


def test_up_answers_and_down_leaves_nothing(lab: Lab, state_home: Path) -> None:
    machines = open_machines(lab)
    machines.up(Silent())
    pids = set(footprint.processes(lab.name))
    spaces = footprint.namespaces(pids)
    assert len({space for space in spaces if space.startswith("net:")}) == 4  # three hosts and the LAN
    assert footprint.cgroups(lab.name)
    assert [status.state for status in machines.status()] == ["running"] * 3

    with Hosts(machines.targets()) as hosts:
        assert hosts["host1"].run("hostname").stdout == "host1\n"
        assert hosts["host1"].docker.ping()
        assert hosts["host1"].run("ping -c1 -W2 host2").ok

    machines.down(Silent())
    assert footprint.left(lab.name, state_home, spaces) == {}
    assert {status.state for status in machines.status()} == {"absent"}
    with pytest.raises(ClusterlabError, match="is not up"):
        machines.targets()


def test_a_second_up_changes_nothing(lab: Lab) -> None:
    machines = open_machines(lab)
    machines.up(Silent())
    before, targets = footprint.processes(lab.name), machines.targets()
    machines.up(Silent())
    assert footprint.processes(lab.name).keys() <= before.keys()  # what waited for a service to start has ended
    assert machines.targets() == targets


def test_down_needs_only_the_name(lab: Lab, state_home: Path) -> None:
    open_machines(lab).up(Silent())
    recall_machines(lab.name).down(Silent())
    assert footprint.left(lab.name, state_home, set()) == {}


def test_down_works_when_its_state_was_removed_manually(lab: Lab, state_home: Path) -> None:
    open_machines(lab).up(Silent())
    subprocess.run(["rm", "-rf", str(LabState(lab.name).folder)], check=True)
    assert footprint.processes(lab.name)
    open_machines(lab).down(Silent())
    assert footprint.left(lab.name, state_home, set()) == {}


@pytest.mark.parametrize(
    ("said", "later"),
    [("starting", 0.0), ("starting", 0.03), ("starting", 0.08), ("waiting", 0.0), ("waiting", 0.2)],
)
@pytest.mark.parametrize("next_verb", ["up", "down"])
def test_up_killed_in_the_middle(lab: Lab, state_home: Path, said: str, later: float, next_verb: str) -> None:
    _kill_when(_background("up", lab), said, later)
    machines = open_machines(lab)
    if next_verb == "up":
        machines.up(Silent())
        assert {status.state for status in machines.status()} == {"running"}
        with Hosts(machines.targets()) as hosts:
            assert hosts["host2"].run("ping -c1 -W2 host1").ok
            assert hosts["host2"].docker.ping()
    machines.down(Silent())
    assert footprint.left(lab.name, state_home, set()) == {}


@pytest.mark.parametrize("later", [0.0, 0.02, 0.05, 0.08])
def test_down_killed_in_the_middle(lab: Lab, state_home: Path, later: float) -> None:
    machines = open_machines(lab)
    machines.up(Silent())
    _kill_when(_background("down", lab), "removing", later)
    machines.up(Silent())
    with Hosts(machines.targets()) as hosts:
        assert hosts["host1"].docker.ping()
    _kill_when(_background("down", lab), "removing", later)
    machines.down(Silent())
    assert footprint.left(lab.name, state_home, set()) == {}


def test_two_at_once(lab: Lab) -> None:
    process = _background("up", lab)
    assert process.stdout is not None
    assert any(
        "starting" in line for line in process.stdout
    )  # the first lines may be of a root file system that is built
    with pytest.raises(ClusterlabError) as caught:
        open_machines(lab).up(Silent())
    assert caught.value.message == (f"lab {lab.name}: another clusterlab is at work on it: up, process {process.pid}")
    assert caught.value.remedy == f"Wait until it has ended, or end it: kill {process.pid}"
    process.communicate()
    assert process.returncode == 0


def test_a_host_that_lost_power_comes_back_alone_with_its_disk(lab: Lab) -> None:
    machines = open_machines(lab)
    machines.up(Silent())
    state = LabState(lab.name)
    with Hosts(machines.targets()) as hosts:
        hosts["host2"].run("docker volume create kept", check=True)
    before = {name: (state.host_folder(name) / "pid").read_text() for name in lab.inventory.hosts}
    subprocess.run(["kill", "-9", before["host2"].strip()], check=True)
    _wait_until_down(lab, "host2")

    machines.up(Silent())
    after = {name: (state.host_folder(name) / "pid").read_text() for name in lab.inventory.hosts}
    assert [name for name in after if after[name] != before[name]] == ["host2"]
    with Hosts(machines.targets()) as hosts:
        assert hosts["host2"].run("docker volume ls -q").stdout == "kept\n"
        assert hosts["host1"].run("ping -c1 -W2 host2").ok


def _wait_until_down(lab: Lab, host: str) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        states = {status.host: status.state for status in open_machines(lab).status()}
        if states[host] == "stopped":
            return
        time.sleep(0.02)
    pytest.fail(f"{host} still runs")


def test_the_lan_comes_back_when_its_process_was_killed(lab: Lab) -> None:
    machines = open_machines(lab)
    machines.up(Silent())
    (switch,) = [pid for pid, command in footprint.processes(lab.name).items() if "switch.py" in command]
    subprocess.run(["kill", "-9", str(switch)], check=True)
    machines.up(Silent())
    with Hosts(machines.targets()) as hosts:
        assert hosts["host1"].run("ping -c1 -W2 host2").ok


def test_hosts_are_added_and_removed_with_the_inventory(lab: Lab) -> None:
    open_machines(namespaces_lab(lab.name, SUBNET, docker_hosts=1)).up(Silent())
    machines = open_machines(lab)
    machines.up(Silent())
    with Hosts(machines.targets()) as hosts:
        assert hosts["host1"].run("ping -c1 -W2 host2").ok
    open_machines(namespaces_lab(lab.name, SUBNET, docker_hosts=1)).up(Silent())
    assert not LabState(lab.name).host_folder("host2").exists()
    assert not [cgroup for cgroup in footprint.cgroups(lab.name) if (Path(cgroup) / "host2").exists()]


def test_another_address_needs_down_first(lab: Lab) -> None:
    open_machines(lab).up(Silent())
    with pytest.raises(ClusterlabError, match=r"up with other settings: address of gw 10.62.0.1, now 10.63.0.1"):
        open_machines(namespaces_lab(lab.name, "10.63.0.0/24")).up(Silent())


def test_cards_have_the_mtu_of_the_inventory(lab: Lab) -> None:
    """A packet of that size passes, and a larger one that must not be split does not."""
    hosts: dict[str, object] = {name: {"address": lab.inventory.hosts[name].address} for name in ("host1", "host2")}
    machines = open_machines(_with_mtu(lab.name, 1400, hosts))
    machines.up(Silent())
    with Hosts(machines.targets()) as reached:
        assert reached["host1"].run("cat /sys/class/net/eth0/mtu", check=True).stdout == "1400\n"
        assert reached["host1"].run("ping -n -c 1 -W 2 -M do -s 1372 host2").ok
        assert not reached["host1"].run("ping -n -c 1 -W 2 -M do -s 1373 host2").ok
    with pytest.raises(ClusterlabError, match="MTU 1400, now 1300"):
        open_machines(_with_mtu(lab.name, 1300, hosts)).up(Silent())


def test_a_card_gets_another_mtu_while_the_lab_is_up(lab: Lab) -> None:
    """What runs goes on, and `up` finds nothing else to do."""
    hosts: dict[str, object] = {name: {"address": lab.inventory.hosts[name].address} for name in ("host1", "host2")}
    open_machines(_with_mtu(lab.name, 1500, hosts)).up(Silent())
    machines = NamespacesMachines(_with_mtu(lab.name, 1400, hosts))
    assert machines.changing.differences("host1") == {"mtu": Values("1400", "1500")}
    with Hosts(machines.targets()) as reached:
        booted = reached["host1"].run("stat -c %Y /proc/1", check=True).stdout
        for host in hosts:
            machines.changing.change(host, Silent())
            assert machines.changing.differences(host) == {}
        assert reached["host1"].run("ping -n -c 1 -W 2 -M do -s 1372 host2").ok
        assert not reached["host1"].run("ping -n -c 1 -W 2 -M do -s 1373 host2").ok
        machines.up(Silent())
        assert reached["host1"].run("stat -c %Y /proc/1", check=True).stdout == booted


def _with_mtu(name: str, mtu: int, hosts: dict[str, object]) -> Lab:
    network = {"subnet": SUBNET, "mtu": mtu}
    return Lab(Inventory.model_validate({"lab": name, "machines": "namespaces", "network": network, "hosts": hosts}))


@pytest.mark.parametrize("keep", [False, True])
def test_a_failed_up_keeps_the_evidence_and_nothing_else(lab: Lab, state_home: Path, keep: bool) -> None:
    sshd = LabState(lab.name).host_folder("host2") / "upper/usr/sbin/sshd"
    sshd.parent.mkdir(parents=True)
    sshd.write_text("#!/bin/sh\n(sleep 0.5; echo this sshd is broken) &\nexit 1\n")  # its last words come late
    sshd.chmod(0o755)
    with pytest.raises(HostError) as caught:
        open_machines(lab).up(Silent(), keep=keep)
    assert caught.value.message == "host2: ssh did not start"
    assert "this sshd is broken" in caught.value.detail
    if keep:
        assert {status.state for status in open_machines(lab).status()} == {"running", "unreachable"}
        return
    logs = LabState(lab.name).failure_logs
    assert str(logs) in caught.value.remedy
    assert "this sshd is broken" in (logs / "host2" / "ssh.log").read_text()
    assert "Starting up" in (logs / "host1" / "docker.log").read_text()
    assert not LabState(lab.name).folder.exists()
    assert not footprint.processes(lab.name)
    subprocess.run(["rm", "-r", str(logs)], check=True)


def test_two_labs_may_have_the_same_subnet(lab: Lab, state_home: Path) -> None:
    other = namespaces_lab(f"other-{os.getpid()}", SUBNET)
    machines = open_machines(lab), open_machines(other)
    try:
        for one in machines:
            one.up(Silent())
        with Hosts(machines[0].targets()) as hosts, Hosts(machines[1].targets()) as others:
            hosts["host1"].run("touch /here", check=True)
            assert not others["host1"].run("test -e /here").ok
            assert others["host1"].run("ping -c1 -W2 10.62.0.12").ok
    finally:
        machines[1].down(Silent())

"""Hosts that are added, taken out or change places in a Swarm of real engines, and who is asked meanwhile."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Callable

import pytest
from rich.console import Console

from clusterlab.machines.state import LabState
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.plan.apply import apply
from clusterlab.plan.graph import carry_out
from clusterlab.progress import Silent
from clusterlab.reports.plan import show_report
from tests.support.provision_bench import Bench, brief, with_inventory

pytestmark = pytest.mark.engine
Fresh = Callable[..., Bench]
MANAGER = ["docker", "swarm_manager"]
DRAINED = {"availability": "drain", "labels": {"disk": "ssd"}}


def test_a_host_that_is_added_joins_with_the_availability_and_labels_of_the_inventory(fresh: Fresh) -> None:
    bench = fresh(3)
    hosts = bench.lab.inventory.model_dump()["hosts"]
    two = {name: one for name, one in hosts.items() if name != "host3"}
    with_inventory(bench, hosts=two).provisioned()
    three = with_inventory(bench, hosts={**hosts, "host3": {**hosts["host3"], **DRAINED}})
    assert brief(three.plan()) == {"join host3: swarm membership"}
    three.provisioned()
    nodes = bench.nodes()
    assert {name: node["Spec"]["Availability"] for name, node in nodes.items()} == {
        "host1": "active",
        "host2": "active",
        "host3": "drain",
    }
    assert bench.nodes()["host3"]["Spec"]["Labels"]["disk"] == "ssd"
    assert three.plan() == []
    bench.run("host1", "docker node update --label-add disk=hdd --label-add theirs=x host3")
    [change] = three.plan()
    assert [str(one) for one in change.differences] == ["label disk: wanted 'ssd', found 'hdd'"]
    three.provisioned()
    labels = bench.nodes()["host3"]["Spec"]["Labels"]
    assert (labels["disk"], labels["theirs"]) == ("ssd", "x")
    paused = with_inventory(bench, hosts={**hosts, "host3": {**hosts["host3"], "availability": "pause"}})
    [change] = paused.plan()
    assert change.command.startswith("docker node update --availability pause ")
    paused.provisioned()
    assert bench.nodes()["host3"]["Spec"]["Availability"] == "pause"


def test_a_host_that_is_taken_out_leaves_the_swarm_when_that_is_allowed_and_its_tasks_move(fresh: Fresh) -> None:
    bench = with_inventory(fresh(3, {"host3": MANAGER}), images={"shell": {"build": "busybox"}})
    bench.provisioned()
    play = {"title": "A service", "services": {"idle": {"image": "shell", "command": ["sleep", "infinity"]}}}
    play["services"]["idle"]["deploy"] = {"replicas": 3}  # type: ignore[index]
    lab = Lab(bench.lab.inventory, {"p": Play.model_validate(play)})
    applied = carry_out(apply(lab, bench.hosts), Silent())
    assert applied.ok, (applied.failed, applied.blocked)
    left = bench.node_id("host3")
    assert tasks_on(bench, "host3") == 1
    hosts = {name: one for name, one in bench.lab.inventory.model_dump()["hosts"].items() if name != "host3"}
    without = with_inventory(bench, hosts=hosts)
    [blocked] = without.plan()
    assert str(blocked.key) == "host1: swarm node host3"
    assert blocked.reason == "host3 is no longer in the inventory"
    assert "clusterlab provision --remove-nodes" in blocked.blocked
    assert without.provision().done == []
    assert set(bench.nodes()) == {"host1", "host2", "host3"}
    [allowed] = without.plan(remove_nodes=True)
    assert allowed.command == (
        f"docker node demote {left} && docker node update --availability drain {left} && docker node rm --force {left}"
    )
    report = carry_out([allowed], bench.heard)
    assert report.ok, report.failed
    shown = Console(file=io.StringIO(), width=300, no_color=True)
    show_report(shown, "provision", report)
    assert "host3 is out of the Swarm, and its machine stays as it is" in shown.file.getvalue()  # type: ignore[attr-defined]
    assert set(bench.nodes()) == {"host1", "host2"}
    assert bench.run("host3", "docker ps -q") == ""
    assert without.plan() == []


def test_a_node_that_somebody_joined_manually_stays(fresh: Fresh) -> None:
    bench = fresh(3)
    hosts = {name: one for name, one in bench.lab.inventory.model_dump()["hosts"].items() if name != "host3"}
    two = with_inventory(bench, hosts=hosts)
    two.provisioned()
    token = bench.run("host1", "docker swarm join-token -q worker")
    bench.run("host3", f"docker swarm join --token {token} --advertise-addr 10.74.0.13 10.74.0.11:2377")
    assert two.plan(remove_nodes=True) == []
    assert set(bench.nodes()) == {"host1", "host2", "host3"}


def test_with_the_first_manager_down_a_host_joins_through_another_one(fresh: Fresh) -> None:
    bench = fresh(4, {"host2": MANAGER, "host3": MANAGER})
    hosts = bench.lab.inventory.model_dump()["hosts"]
    with_inventory(bench, hosts={name: one for name, one in hosts.items() if name != "host4"}).provisioned()
    state = LabState(bench.lab.name)
    os.kill(int((state.host_folder("host1") / "pid").read_text()), signal.SIGKILL)
    down = "docker node inspect host1 --format '{{.ManagerStatus.Reachability}}' | grep -qx unreachable"
    # The new leader knows nothing of the others until they have asked it.
    up = "[ $(docker node inspect host2 host3 --format '{{.Status.State}}' | grep -cx ready) = 2 ]"
    bench.run("host2", f"for i in $(seq 200); do {down} && {up} && exit 0; sleep 0.3; done; exit 1")
    report = bench.provision()
    assert [done.change.key.host for done in report.done] == ["host4"]
    assert [str(change.key) for change in report.blocked] == ["host1: host ssh"]
    assert "host4" in bench.nodes("host2")


def test_a_new_leader_is_no_change_and_is_the_one_that_is_asked(fresh: Fresh) -> None:
    bench = fresh(3, {"host2": MANAGER, "host3": MANAGER})
    bench.provisioned()
    bench.run("host1", "systemctl stop docker")  # until another one leads: it may win the election itself otherwise
    leads = "docker node inspect host1 --format '{{.ManagerStatus.Leader}}' | grep -qx false"
    bench.run("host2", f"for i in $(seq 100); do {leads} && exit 0; sleep 0.3; done; exit 1")
    bench.run("host1", "systemctl start docker")
    shown = "{{.Status.State}} {{.ManagerStatus.Reachability}}"
    back = f"docker node inspect host1 --format '{shown}' | grep -qx 'ready reachable'"
    bench.run("host2", f"for i in $(seq 100); do {back} && exit 0; sleep 0.3; done; exit 1")
    assert carry_out(bench.plan(), bench.heard).ok  # host1 may still be coming back
    assert bench.plan() == []
    bench.run("host2", "docker node update --availability drain host1")
    [change] = bench.plan()
    leader = next(name for name, node in bench.nodes("host2").items() if node["ManagerStatus"].get("Leader"))
    assert change.command.endswith(f"# on {leader}")
    bench.provisioned()
    assert bench.nodes("host2")["host1"]["Spec"]["Availability"] == "active"


def test_a_manager_and_a_worker_change_places(fresh: Fresh) -> None:
    bench = fresh(2)
    bench.provisioned()
    hosts = bench.lab.inventory.model_dump()["hosts"]
    hosts["host1"]["roles"], hosts["host2"]["roles"] = hosts["host2"]["roles"], hosts["host1"]["roles"]
    swapped = with_inventory(bench, hosts=hosts)
    assert brief(swapped.plan()) == {"promote host2: swarm membership", "demote host1: swarm membership"}
    swapped.provisioned()
    assert {name: node["Spec"]["Role"] for name, node in bench.nodes("host2").items()} == {
        "host1": "worker",
        "host2": "manager",
    }
    assert swapped.plan() == []


def tasks_on(bench: Bench, node: str) -> int:
    running = bench.run("host1", f"docker node ps {node} --filter desired-state=running --format '{{{{.ID}}}}'")
    return len(running.split())

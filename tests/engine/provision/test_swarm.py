"""The Swarm on real engines: begun, joined, verified against the manager's list, and never taken from another."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from clusterlab.checks import run_checks
from clusterlab.machines import open_machines
from clusterlab.machines.state import LabState
from clusterlab.model import load_lab
from clusterlab.plan.apply import apply
from clusterlab.plan.graph import carry_out
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.results import Outcome
from tests.support.nightly_lab import existing_lab
from tests.support.provision_bench import Bench, brief, with_inventory

pytestmark = pytest.mark.engine
Fresh = Callable[..., Bench]
MANAGER = ["docker", "swarm_manager"]


def test_a_swarm_is_begun_and_joined_and_the_second_time_nothing_changes(fresh: Fresh) -> None:
    bench = fresh(3)
    changes = bench.plan()
    assert brief(changes) == {
        "init host1: swarm membership",
        "join host2: swarm membership",
        "join host3: swarm membership",
    }
    assert all(change.needs == {changes[0].key} for change in changes[1:])
    bench.provisioned()
    nodes = bench.nodes()
    assert {name: node["Status"]["Addr"] for name, node in nodes.items()} == {
        "host1": "10.74.0.11",
        "host2": "10.74.0.12",
        "host3": "10.74.0.13",
    }
    assert {name: node["Spec"]["Role"] for name, node in nodes.items()} == {
        "host1": "manager",
        "host2": "worker",
        "host3": "worker",
    }
    for host in nodes:
        state = bench.run(host, "cat /var/lib/docker/swarm/docker-state.json")
        assert f'"DataPathAddr":"{nodes[host]["Status"]["Addr"]}"' in state
    with Hosts(bench.targets) as again:
        second = Bench(bench.lab, again, bench.targets, bench.unsupported)
        assert second.plan() == []
        assert {name: again[name].counts["commands"] for name in nodes} == dict.fromkeys(nodes, 1)
        assert all(again[name].counts["requests"] <= 3 for name in nodes)


def test_no_token_stands_in_a_plan_or_an_error(fresh: Fresh) -> None:
    bench = fresh()
    changes = bench.plan()
    bench.run("host2", "iptables -A OUTPUT -p tcp --dport 2377 -j REJECT")
    report = carry_out(changes, bench.heard)
    tokens = bench.hosts["host1"].docker.inspect_swarm()["JoinTokens"].values()
    failed = {one.change.key.host: one.error for one in report.failed}
    assert set(failed) == {"host2"}
    assert "2377/tcp" in failed["host2"].remedy
    said = f"{changes} {failed} {failed['host2'].message} {failed['host2'].detail} {bench.heard.lines}"
    assert not any(token in said for token in tokens)
    assert 'docker swarm join --token "$(ssh host1 docker swarm join-token -q worker)"' in changes[1].command
    bench.run("host2", "iptables -F OUTPUT")
    bench.provisioned()
    assert bench.plan() == []


def test_a_host_in_another_swarm_stays_there_and_the_others_go_on(fresh: Fresh) -> None:
    bench = fresh(3)
    bench.run("host2", "docker swarm init --advertise-addr 10.74.0.12")
    before = bench.node_id("host2")
    report = bench.provision()
    assert brief(report.blocked) == {"join host2: swarm membership"}
    assert "host2 is in another Swarm, managed by 10.74.0.12:2377" in report.blocked[0].blocked
    assert "`docker swarm leave --force` on host2" in report.blocked[0].blocked
    assert set(bench.nodes()) == {"host1", "host3"}
    assert bench.node_id("host2") == before
    bench.run("host2", "docker swarm leave --force")
    bench.provisioned()
    assert set(bench.nodes()) == {"host1", "host2", "host3"}


def test_a_worker_of_a_swarm_that_its_manager_left_stays_there(fresh: Fresh) -> None:
    bench = fresh()
    bench.provisioned()
    bench.run("host1", "docker swarm leave --force")
    before = bench.node_id("host2")
    report = bench.provision()
    assert [done.change.action for done in report.done] == ["init"]
    assert bench.node_id("host2") == before
    blocked = [*report.blocked, *bench.plan()]
    assert any("host1 has joined a new one since" in change.blocked for change in blocked)


def test_a_host_that_left_joins_again_and_its_dead_node_goes(fresh: Fresh) -> None:
    bench = fresh()
    bench.provisioned()
    old = bench.node_id("host2")
    bench.run("host2", "docker swarm leave")
    changes = bench.plan()
    assert brief(changes) == {"join host2: swarm membership", f"remove host1: swarm node {old}"}
    bench.provisioned()
    nodes = bench.nodes()
    assert set(nodes) == {"host1", "host2"}
    assert nodes["host2"]["ID"] == bench.node_id("host2") != old
    assert bench.plan() == []


def test_a_node_that_was_lost_is_the_same_again_with_its_disk_and_joins_again_without(fresh: Fresh) -> None:
    bench = fresh()
    bench.provisioned()
    bench.run("host1", "docker swarm update --dispatcher-heartbeat 1s")  # what is lost is noticed sooner
    node, machines, state = bench.node_id("host2"), open_machines(bench.lab), LabState(bench.lab.name)

    def lose() -> None:
        os.kill(int((state.host_folder("host2") / "pid").read_text()), signal.SIGKILL)
        is_down = f"docker node inspect {node} --format '{{{{.Status.State}}}}' | grep -q down"
        bench.run("host1", f"until {is_down}; do sleep 0.2; done")

    lose()
    machines.up(Silent())
    bench.provisioned()
    assert bench.node_id("host2") == node
    assert bench.plan() == []

    lose()
    shutil.rmtree(state.host_folder("host2"))
    machines.up(Silent())
    changes = bench.plan()
    assert brief(changes) == {"join host2: swarm membership", f"remove host1: swarm node {node}"}
    bench.provisioned()
    assert bench.nodes()["host2"]["ID"] == bench.node_id("host2") != node
    assert set(bench.nodes()) == {"host1", "host2"}
    assert bench.plan() == []


def test_a_swarm_has_the_settings_of_the_inventory(fresh: Fresh) -> None:
    """Those that can change are changed; its networks get their subnets from the pool."""
    bench = fresh(1)
    settings = {
        "default_addr_pool": ["10.64.0.0/16"],
        "subnet_size": 26,
        "data_path_port": 7789,
        "cert_expiry": "720h",
        "task_history": 2,
    }
    first = with_inventory(bench, swarm=settings)
    first.provisioned()
    assert first.plan() == []
    assert bench.run("host1", "docker info --format '{{.Swarm.Cluster.DataPathPort}}'") == "7789"
    bench.run("host1", "docker network create -d overlay --attachable wide")
    subnet = "docker network inspect --format '{{(index .IPAM.Config 0).Subnet}}' wide"
    assert bench.run("host1", subnet).startswith("10.64.")
    assert bench.run("host1", subnet).endswith("/26")
    again = with_inventory(bench, swarm={**settings, "task_history": 7, "data_path_port": 4789})
    [change] = again.plan()
    assert change.command == "docker swarm update --task-history-limit 7"
    assert "host1: its Swarm keeps data_path_port 7789, and only a new one would have 4789" in again.heard.lines
    again.provisioned()
    spec = bench.hosts["host1"].docker.inspect_swarm()["Spec"]
    assert spec["Orchestration"]["TaskHistoryRetentionLimit"] == 7
    assert spec["CAConfig"]["NodeCertExpiry"] == 720 * 3600 * 10**9
    assert again.plan() == []


def test_roles_and_availability_that_drifted_are_restored(fresh: Fresh) -> None:
    bench = fresh(3)
    bench.provisioned()
    bench.run("host1", "docker node promote host2 && docker node update --availability drain host3")
    changes = {change.key.host: change for change in bench.plan()}
    assert changes["host2"].action == "demote"
    assert [(d.name, d.wanted, d.found) for d in changes["host2"].differences] == [("role", "worker", "manager")]
    assert changes["host3"].action == "update"
    assert [(d.name, d.wanted, d.found) for d in changes["host3"].differences] == [("availability", "active", "drain")]
    bench.provisioned()
    nodes = bench.nodes()
    assert [nodes[name]["Spec"]["Role"] for name in ("host1", "host2", "host3")] == ["manager", "worker", "worker"]
    assert nodes["host3"]["Spec"]["Availability"] == "active"
    assert bench.plan() == []


def test_three_managers_join_one_after_the_other_and_a_demoted_one_is_promoted(fresh: Fresh) -> None:
    bench = fresh(3, {"host2": MANAGER, "host3": MANAGER})
    bench.provisioned()
    assert {node["ManagerStatus"]["Reachability"] for node in bench.nodes().values()} == {"reachable"}
    bench.run("host1", "docker node demote host3")
    assert brief(bench.plan()) == {"promote host3: swarm membership"}
    bench.provisioned()
    assert bench.plan() == []


def test_another_manager_leads_when_the_first_host_left(fresh: Fresh) -> None:
    bench = fresh(3, {"host2": MANAGER, "host3": MANAGER})
    bench.provisioned()
    swarm = bench.hosts["host2"].docker.inspect_swarm()["ID"]
    bench.run("host1", "docker swarm leave --force")
    bench.provisioned()
    assert bench.hosts["host1"].docker.inspect_swarm()["ID"] == swarm
    assert set(bench.nodes()) == {"host1", "host2", "host3"}
    assert bench.plan() == []


def test_without_a_majority_it_is_said_and_nothing_is_done(fresh: Fresh) -> None:
    bench = fresh(2, {"host2": MANAGER})
    bench.provisioned()
    bench.run("host2", "docker swarm leave --force")
    noticed = "for i in $(seq 60); do docker node ls >/dev/null 2>&1 || exit 0; sleep 0.5; done; exit 1"
    bench.run("host1", noticed)
    report = bench.provision()
    assert brief(report.blocked) == {"join host1: swarm membership"}
    assert "--force-new-cluster" in report.blocked[0].blocked
    assert [str(one.change.key) for one in report.skipped] == ["host2: swarm membership"]
    assert report.done == []


def test_a_wrong_address_in_a_swarm_of_ours_is_found_and_left_to_a_person(fresh: Fresh) -> None:
    bench = fresh()
    bench.provisioned()
    bench.run("host2", "docker swarm leave && ip address add 10.74.0.99/24 dev eth0")
    token = bench.run("host1", "docker swarm join-token -q worker")
    flags = "--advertise-addr 10.74.0.99 --data-path-addr 10.74.0.12"
    bench.run("host2", f"docker swarm join --token {token} {flags} 10.74.0.11:2377")
    [change] = [change for change in bench.plan() if change.key.kind == "swarm"]
    assert str(change.key) == "host2: swarm membership"
    assert {d.name for d in change.differences} >= {"advertised address"}
    assert {(d.wanted, d.found) for d in change.differences} == {("10.74.0.12", "10.74.0.99")}
    assert "docker swarm leave && docker swarm join" in change.blocked


def test_a_host_that_cannot_be_reached_keeps_back_nothing_else(fresh: Fresh) -> None:
    bench = fresh(3)
    targets = {**bench.targets, "host2": replace(bench.targets["host2"], port=9)}
    with Hosts(targets) as hosts:
        report = replace(bench, hosts=hosts).provision()
    assert [str(change.key) for change in report.blocked] == ["host2: host ssh"]
    assert report.blocked[0].blocked.startswith("host2: ")
    assert [str(one.change.key) for one in report.skipped] == ["host2: swarm membership"]
    assert set(bench.nodes()) == {"host1", "host3"}
    bench.provisioned()
    assert set(bench.nodes()) == {"host1", "host2", "host3"}


def test_a_manager_that_cannot_be_reached_leaves_the_workers_alone(fresh: Fresh) -> None:
    bench = fresh()
    bench.provisioned()
    targets = {**bench.targets, "host1": replace(bench.targets["host1"], port=9)}
    with Hosts(targets) as hosts:
        report = replace(bench, hosts=hosts).provision()
    assert report.done == []
    assert bench.plan() == []


CARDS = {"data": "10.75.0", "store": "10.76.0"}
PLAY = """\
title: cards
networks: {over: {driver: overlay, attachable: true}}
containers:
  near: {host: host1, image: shell, command: [sleep, infinity], networks: [over]}
  far: {host: host2, image: shell, command: [sleep, infinity], networks: [over]}
  files: {host: host2, image: shell, command: "httpd -f -p ${hosts.host2.addresses.storage}:8070", network_mode: host}
checks:
  - {title: containers reach each other, ping: {in: near, to: far}, within: 20s}
  - title: files come from the address for storage, over its card
    command:
      on: host1
      run: |
        ip route get ${hosts.host2.addresses.storage} | grep 'dev store'
        curl -so /dev/null http://${hosts.host2.addresses.storage}:8070/
    within: 20s
  - title: files come from no other address
    command: {on: host1, run: "! curl -so /dev/null --max-time 2 http://${hosts.host2.address}:8070/"}
"""


def test_each_address_of_a_host_with_several_cards_has_its_use(fresh: Fresh, tmp_path: Path) -> None:
    bench = fresh()
    existing_lab(bench.lab, cast(Any, SimpleNamespace(targets=lambda: bench.targets)), tmp_path)
    inventory = yaml.safe_load((tmp_path / "existing.yml").read_text())
    for number, name in enumerate(("host1", "host2"), 11):
        lan = bench.run(name, f"ip -o address show to 10.74.0.{number} | cut -d' ' -f2")
        for card, network in CARDS.items():
            bench.run(name, f"ip link add {card} link {lan} type macvlan mode bridge; ip link set {card} up")
            bench.run(name, f"ip address add {network}.{number}/24 dev {card}")
        for network in (CARDS["data"], "10.74.0"):  # rules without a target count; each card answers for all addresses
            bench.run(name, f"iptables -I INPUT -d {network}.{number} -p udp --dport 4789")
        roles = bench.lab.inventory.hosts[name].roles
        addresses = {"data_path": f"10.75.0.{number}", "storage": f"10.76.0.{number}"}
        inventory["hosts"][name] |= {"addresses": addresses, "roles": list(roles)}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump(inventory))
    (tmp_path / "plays").mkdir()
    (tmp_path / "plays" / "cards.yml").write_text(PLAY)
    bench = replace(bench, lab=load_lab(tmp_path / "inventory.yml", ["cards"], tmp_path / "plays"))
    bench.provisioned()
    assert {name: node["Status"]["Addr"] for name, node in bench.nodes().items()} == {
        "host1": "10.74.0.11",
        "host2": "10.74.0.12",
    }
    assert bench.plan() == []
    report = carry_out(apply(bench.lab, bench.hosts, unsupported=bench.unsupported), bench.heard)
    assert report.ok, (report.failed, report.blocked)
    results = run_checks(bench.lab, bench.hosts, bench.unsupported, lambda result: None, Silent())
    assert [result.outcome for result in results] == [Outcome.PASS] * 3, results
    for name in ("host1", "host2"):
        counted = bench.run(name, "iptables -nvxL INPUT | awk '/dpt:4789/ {print $1}'").split()
        assert [int(packets) > 0 for packets in counted] == [False, True], counted  # the LAN's rule is the first

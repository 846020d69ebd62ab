"""A Swarm created manually stays as it is, whatever the inventory states, unless the inventory adopts it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.machines import open_machines
from tests.support.nightly_lab import existing_lab
from tests.support.provision_bench import Bench, brief, with_inventory

pytestmark = pytest.mark.engine
Fresh = Callable[..., Bench]
MANAGER = ["docker", "swarm_manager"]
PLAY = {
    "title": "Two hosts in a Swarm",
    "networks": {"apart": {"driver": "overlay", "attachable": True}},
    "containers": {"one": {"host": "host1", "image": "shell", "command": ["sleep", "infinity"], "networks": ["apart"]}},
    "checks": [{"title": "host1 reaches host3", "ping": {"on": "host1", "to": "host3"}}],
}


def created_manually(bench: Bench, *workers: str) -> None:
    """A Swarm of host1 and `workers`: overlay traffic has its own address, the last worker is drained and labelled."""
    bench.run("host1", "ip address add 10.74.1.11/24 dev eth0")
    bench.run("host1", "docker swarm init --advertise-addr 10.74.0.11 --data-path-addr 10.74.1.11")
    token = bench.run("host1", "docker swarm join-token -q worker")
    for name in workers:
        bench.run(name, f"docker swarm join --token {token} --advertise-addr 10.74.0.1{name[-1]} 10.74.0.11:2377")
    bench.run("host1", f"docker node update --availability drain --label-add rack=7 {workers[-1]}")


def inspected(bench: Bench) -> dict[str, Any]:
    """Every node as the manager has it, without its counters and clocks, and the labels of the Swarm itself."""
    nodes = json.loads(bench.run("host1", "docker node inspect $(docker node ls -q)"))
    kept = ("ID", "Spec", "Description", "Status", "ManagerStatus")
    spec = bench.hosts["host1"].docker.inspect_swarm()["Spec"]
    return {"swarm": spec, **{node["ID"]: {key: node.get(key) for key in kept} for node in nodes}}


def test_no_verb_changes_the_nodes_of_a_swarm_that_was_created_manually(fresh: Fresh, tmp_path: Path) -> None:
    bench = fresh(3)
    created_manually(bench, "host2", "host3")
    before = inspected(bench)
    nightly_lab = existing_lab(bench.lab, open_machines(bench.lab), tmp_path)
    file = tmp_path / "existing.yml"
    inventory = yaml.safe_load(file.read_text())
    for name, host in bench.lab.inventory.hosts.items():
        inventory["hosts"][name]["roles"] = list(host.roles)
    file.write_text(yaml.safe_dump(inventory))
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "proof.yml").write_text(yaml.safe_dump(PLAY))
    code, out, err = nightly_lab.run("plan", "-i", "existing.yml")
    assert (code, "node update" in out) == (0, False), out + err
    assert "host1: its overlay traffic uses 10.74.1.11 (data path address)" in err
    for words in (["provision"], ["run"], ["nightly"]):
        code, out, err = nightly_lab.run(*words, "-i", "existing.yml")
        assert code == 0, out + err
        assert inspected(bench) == before, words


def test_a_demoted_manager_stays_demoted(fresh: Fresh) -> None:
    bench = fresh(3, {"host2": MANAGER})
    created_manually(bench, "host2", "host3")
    reachable = "docker node inspect host2 --format '{{.ManagerStatus.Reachability}}' | grep -qx reachable"
    bench.run("host1", f"docker node promote host2; until {reachable}; do sleep 0.2; done; docker node demote host2")
    bench.run("host1", "until docker node ls --filter role=worker | grep -q host2; do sleep 0.2; done")
    before = inspected(bench)
    report = bench.provision()
    [blocked] = report.blocked
    assert (blocked.action, blocked.key.host) == ("promote", "host2")
    assert "clusterlab did not initialise this Swarm and leaves its nodes as they are" in blocked.blocked
    assert "swarm: {adopt: true}" in blocked.blocked
    assert report.done == []
    assert inspected(bench) == before


def test_no_host_joins_and_no_dead_node_is_removed_unless_the_swarm_is_adopted(fresh: Fresh) -> None:
    bench = fresh(3)
    created_manually(bench, "host2")
    dead = bench.node_id("host2")
    bench.run("host2", "docker swarm leave")
    report = bench.provision()
    assert brief(report.blocked) == {"join host2: swarm membership", "join host3: swarm membership"}
    assert all("swarm: {adopt: true}" in change.blocked for change in report.blocked)
    assert report.done == []
    nodes = bench.hosts["host1"].docker.nodes()
    assert {node["ID"] for node in nodes} == {dead, bench.node_id("host1")}

    adopting = with_inventory(bench, swarm={"adopt": True})
    adopting.provisioned()
    assert adopting.plan() == []
    nodes = bench.hosts["host1"].docker.nodes()
    assert {node["ID"] for node in nodes} == {dead, *(bench.node_id(name) for name in ("host1", "host2", "host3"))}
    assert bench.hosts["host1"].docker.inspect_node(dead)["Spec"]["Availability"] == "drain"


def test_no_host_joins_after_an_engine_was_started_that_turns_out_to_manage_a_swarm_of_others(fresh: Fresh) -> None:
    bench = fresh(2)
    bench.run("host1", "docker swarm init --advertise-addr 10.74.0.11")
    bench.run("host1", "systemctl stop docker")
    report = bench.provision()
    assert [failed.change.key.host for failed in report.failed] == ["host2"]
    assert "which clusterlab did not initialise" in report.failed[0].error.message
    assert len(bench.hosts["host1"].docker.nodes()) == 1

"""The connectivity test on a sound Swarm of others: what passes, what it costs, and what nightly runs keep of it."""

from __future__ import annotations

import json

import pytest
import yaml

from clusterlab.capabilities import ALL_CAPABILITIES
from clusterlab.checks import run_checks
from clusterlab.connectivity.play import Options, with_test
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean
from clusterlab.plan.graph import carry_out
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.results import Outcome
from tests.support.nightly_lab import stages
from tests.support.swarm_bench import NODES, Bench, failed

pytestmark = pytest.mark.engine
MOUNTS = "every node mounts /theirs of 10.75.0.99, as volume theirs-data does, and reads it"
PING = "on an overlay network every node reaches every other (VXLAN, UDP 4789)"
PACKETS = "full-size packets pass unfragmented from every node to every other"


def test_a_sound_cluster_passes_and_nothing_of_others_is_touched(bench: Bench) -> None:
    before, objects, since = bench.foreign(), bench.objects(), bench.run("host1", "date +%s")
    code, results, printed = bench.test("-i", "existing.yml")
    assert (code, failed(results)) == (0, {}), printed
    assert "full-size packets pass unfragmented from every node to every other: 3 nodes, all 6 pairs" in printed
    unsupported = {one["check"]: one["hint"] for one in results["results"] if one["outcome"] == "unsupported"}
    assert any("with and without a task" in title for title in unsupported)
    assert MOUNTS in unsupported
    assert all(any(lack in hint for lack in ("ipvs", "xfrm", "nfs")) for hint in unsupported.values())
    assert "registry: no service of the Swarm has an image from a registry" in printed
    assert bench.objects() == objects
    assert bench.foreign() == before
    assert bench.events(since) == []
    rounds, lost = bench.traffic(since)
    assert rounds > len(NODES)
    assert lost == []


def test_the_nodes_are_found_from_a_managers_address_alone(bench: Bench) -> None:
    folder = bench.nightly_lab.folder
    inventory = yaml.safe_load((folder / "existing.yml").read_text())
    lines = []
    for host in inventory["hosts"].values():
        ssh = host["ssh"]
        lines += [
            f"Host {host['address']}",
            f"  HostName {ssh['address']}",
            f"  Port {ssh['port']}",
            f"  User {ssh['user']}",
        ]
        lines += [f"  IdentityFile {ssh['key']}", f"  UserKnownHostsFile {ssh['known_hosts']}"]
    (folder / "ssh_config").write_text("\n".join(lines) + "\n")
    config = "from pathlib import Path\nfrom clusterlab.machines.existing import user_ssh\n"
    config += f"user_ssh.USER_CONFIG = Path({str(folder / 'ssh_config')!r})"
    file = folder / "found.json"
    with bench.nightly_lab.start(
        "test-cluster", "10.75.0.11", "--only", "ping", "--only", "gossip", "--json", str(file), first=config
    ) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    results = json.loads(file.read_text())
    assert results["lab"] == "cluster-10-75-0-11"
    assert {link["source"] for one in results["results"] for item in one["evidence"] for link in item["links"]} == set(
        NODES
    )


def test_a_nightly_run_has_its_statements_and_the_history_too(bench: Bench) -> None:
    before = bench.objects()
    bench.nightly_lab.play()
    _, night = bench.nightly_lab.nightly("--cluster")
    assert {name: outcome for name, outcome in stages(night).items() if outcome != "done"} == {
        "clean up": "skipped",
        "notify": "skipped",
    }
    found = {one["check"]: one["outcome"] for one in night["results"] if one["play"] == "test-cluster"}
    assert found[PING] == "pass", found
    assert found[MOUNTS] == "unsupported", found
    assert set(found.values()) <= {"pass", "unsupported"}, found
    assert "not tested: " in next(one["message"] for one in night["stages"] if one["name"] == "survey")
    code, out, err = bench.nightly_lab.run("history", "-i", "existing.yml")
    assert code == 0, out + err
    assert PACKETS in out
    bench.nightly_lab.run("clean", "-i", "existing.yml", "--delete-data")
    assert bench.objects() == before


def test_a_host_asks_all_its_targets_with_as_many_requests_as_one(bench: Bench) -> None:
    """What a statement costs each host does not depend on the number of nodes, for every way of asking."""
    costs = {}
    for nodes in (NODES[:2], NODES):
        lab = with_test(
            bench.up.lab, Options(nodes, ["gossip", "names", "ping", "packets", "udp", "tcp", "throughput"])
        )
        made = carry_out(apply(lab, bench.up.hosts, unsupported=bench.up.machines.unsupported()), Silent())
        assert not made.failed, made.failed
        with Hosts(bench.up.machines.targets()) as hosts:
            results = run_checks(lab, hosts, ALL_CAPABILITIES, lambda result: None, Silent())
            assert {one.outcome for one in results} == {Outcome.PASS}, results
            costs[len(nodes)] = {name: dict(hosts[name].counts) for name in ("host1", "host2")}
    for name in ("host1", "host2"):
        assert costs[3][name]["commands"] <= costs[2][name]["commands"] + 1, costs
        assert costs[3][name]["requests"] <= costs[2][name]["requests"] + 2, costs
    carry_out(clean(bench.up.lab.name, bench.up.hosts), Silent())

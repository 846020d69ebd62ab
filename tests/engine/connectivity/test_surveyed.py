"""What the connectivity test learns of a cluster before it creates anything there, and does not create then."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from clusterlab.connectivity.survey import survey
from tests.support import registry
from tests.support.swarm_bench import NODES, Bench, broken, failed, wait_for

pytestmark = pytest.mark.engine
SERVE = """mkdir -p /srv/registry && cd /srv/registry && tar -x -f /root/theirs.tar
setsid python3 /root/registry.py . 5000 > /root/registry.log 2>&1 < /dev/null & echo $! > /root/registry.pid
curl -s --retry 20 --retry-connrefused --retry-delay 1 -o /dev/null http://localhost:5000/v2/"""
PULLED = "localhost:5000/theirs/tool:1"


def test_a_registry_that_one_node_does_not_reach_is_named(bench: Bench) -> None:
    """Each engine asks for one on its own loopback, where registries need no TLS."""
    for node in NODES:
        bench.up.hosts[node].write("/root/registry.py", Path(registry.__file__).read_bytes())
        bench.run(node, SERVE)
    digest = f"sha256:{'0' * 64}"
    create = f"docker service create -qd --no-resolve-image --replicas 0 --name theirs-pulled {PULLED}@{digest}"
    bench.run("host1", create)
    title = f"the registry of {PULLED} answers every node"
    before = bench.objects()
    try:
        code, results, printed = bench.test("-i", "existing.yml", "--only", "registry")
        assert (code, [one["check"] for one in results["results"]]) == (0, [title]), printed
        bench.run("host3", "kill $(cat /root/registry.pid)")
        code, results, printed = bench.test("-i", "existing.yml", "--only", "registry")
        assert (code, list(failed(results))) == (1, [title]), printed
        links = [link for one in results["results"] for item in one["evidence"] for link in item["links"]]
        assert {link["source"]: link["seen"] for link in links} == {"host1": True, "host2": True, "host3": False}
        assert bench.objects() == before
    finally:
        bench.run("host1", "docker service rm theirs-pulled")
        for node in NODES:
            bench.run(node, "kill $(cat /root/registry.pid); rm -r /srv/registry")


def test_servers_of_others_volumes_that_nodes_do_not_reach_are_known_before_anything_is_mounted(bench: Bench) -> None:
    """Where sshd of host1 listens, something answers on all nodes but the one that drops it."""
    options = "-o type=nfs -o o=addr=10.75.0.11,port=22 -o device=:/b"
    bench.run("host3", f"docker volume create {options} theirs-too")
    drop = "iptables -{} OUTPUT -p tcp -d 10.75.0.11 --dport 22 -j DROP"
    try:
        with broken(bench, "host2", drop.format("I"), drop.format("D")):
            seen = survey(bench.up.hosts, bench.up.lab.inventory)
    finally:
        bench.run("host3", "docker volume rm theirs-too")
    gone, late = "10.75.0.99=2049", "10.75.0.11=22"
    assert dict(seen.unreached) == {"host1": {gone}, "host2": {gone, late}, "host3": {gone}}
    assert set(seen.machines.values()) == {platform.machine()}


def test_the_other_nodes_are_tested_while_the_engine_of_one_is_stopped(bench: Bench) -> None:
    words = ["--node", "host1", "--node", "host2", "--only", "ping", "--only", "gossip"]
    with broken(bench, "host3", "systemctl stop docker", "systemctl start docker"):
        code, results, printed = bench.test("-i", "existing.yml", *words)
    assert [one["outcome"] for one in results["results"]] == ["pass", "pass"], printed
    assert code == 3, printed
    assert "not tested: mounts of a node that does not answer: host3" in printed


def test_nothing_is_created_where_a_host_is_a_node_of_another_swarm(bench: Bench) -> None:
    """As when a name in somebody's SSH configuration leads to another machine."""
    token = bench.run("host1", "docker swarm join-token -q worker")
    alone = "docker swarm leave --force && docker swarm init --advertise-addr 10.75.0.13"
    back = (
        f"docker swarm leave --force && docker swarm join --token {token} --advertise-addr 10.75.0.13 10.75.0.11:2377"
    )
    with broken(bench, "host3", alone, back):
        wait_for(bench, "! { docker ps --all; docker network ls; } | grep -q theirs", "host3")
        wait_for(bench, "docker node ls --format '{{.Hostname}} {{.Status}}' | grep -q 'host3 Down'", "host1")
        before = bench.objects()
        code, results, printed = bench.test("-i", "existing.yml", "--only", "ping", "--only", "gossip")
        assert bench.objects() == before
        words = ["--node", "host1", "--node", "host2", "--only", "ping", "--only", "gossip"]
        others, found, said = bench.test("-i", "existing.yml", *words)
        assert bench.objects() == before
        bench.run("host1", "docker node rm host3")  # it comes back as another node
    assert (code, results["results"]) == (3, []), printed
    assert "host3 is a node of another Swarm: nothing was created" in printed
    assert (others, [one["outcome"] for one in found["results"]]) == (3, ["pass", "pass"]), said
    assert "host3 is in another Swarm than host1" in said

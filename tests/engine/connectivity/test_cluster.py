"""The connectivity test on real engines in a Swarm that others created manually: sound, broken, interrupted, killed."""

from __future__ import annotations

import json
import os
import platform
import random
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.capabilities import ALL_CAPABILITIES
from clusterlab.checks import run_checks
from clusterlab.connectivity.names import IMAGE, PLAY, PORT, SHARED_AT, share, shared
from clusterlab.connectivity.play import Options, with_test
from clusterlab.connectivity.properties import PROPERTIES
from clusterlab.connectivity.subject import Subject
from clusterlab.connectivity.survey import survey
from clusterlab.machines import open_machines
from clusterlab.model.inventory import Inventory
from clusterlab.model.playbook import Play
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean
from clusterlab.plan.graph import carry_out
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.results import Outcome
from tests.support import registry
from tests.support.check_cases import told
from tests.support.labs import EngineLab, lab_up, namespaces_lab
from tests.support.nightly_lab import NightlyLab, existing_lab, stages

pytestmark = pytest.mark.engine

NODES = ("host1", "host2", "host3")
DROP_ONE_WAY = "iptables -{} INPUT -p udp --dport 4789 -s 10.75.0.11 -j DROP"
DROP_LONG = "iptables -{} INPUT -p udp --dport 4789 -m length --length 1400:65535 -j DROP"
"""As where the way to a node has a smaller MTU; that of its card also stalls the Swarm's own open connections."""
CHATTER = """mkdir /www && echo hello > /www/index.html && httpd -p 8000 -h /www
while true; do
  for one in $(nslookup tasks.theirs 2>/dev/null | awk '/^Name:/ { n = 1 } n && /^Address/ { print $NF }'); do
    wget -q -T 10 -O /dev/null http://$one:8000/ || echo lost $one
  done
  echo round; sleep 0.2
done"""
"""What a task of others does: it asks every task of its service, on all nodes, and prints what it did not get."""
SERVE = """mkdir -p /srv/registry && cd /srv/registry && tar -x -f /root/theirs.tar
setsid python3 /root/registry.py . 5000 > /root/registry.log 2>&1 < /dev/null & echo $! > /root/registry.pid
curl -s --retry 20 --retry-connrefused --retry-delay 1 -o /dev/null http://localhost:5000/v2/"""
PULLED = "localhost:5000/theirs/tool:1"
DROP_GOSSIP = "iptables -{} INPUT -p udp --dport 7946 -j DROP"


@dataclass(frozen=True)
class Bench:
    """Three nodes that somebody else made a Swarm of, with a service of theirs, and the command line beside them."""

    up: EngineLab
    nightly_lab: NightlyLab

    def run(self, host: str, command: str) -> str:
        return self.up.hosts[host].run(command, check=True, timeout=180).stdout.strip()

    def test(self, *words: str) -> tuple[int, dict[str, Any], str]:
        """Run the test; its exit code, its results and what it printed."""
        file = self.nightly_lab.folder / "test.json"
        file.unlink(missing_ok=True)
        code, out, err = self.nightly_lab.run("test-cluster", *words, "--json", str(file))
        assert file.exists(), out + err
        return code, json.loads(file.read_text()), out + err

    def objects(self) -> dict[str, list[str]]:
        """Whatever is on each host, of the test or of others."""
        listing = (
            "docker ps --all --no-trunc --format '{{.ID}} {{.Names}} {{.CreatedAt}}'; docker network ls --no-trunc "
            "--format '{{.ID}} {{.Name}}'; docker volume ls -q; docker image ls --format '{{.Repository}}:{{.Tag}}'; "
            "docker service ls --format '{{.ID}} {{.Name}} {{.Replicas}}' 2> /dev/null; true"
        )
        return {node: sorted(self.run(node, listing).splitlines()) for node in NODES}

    def remaining(self, before: dict[str, list[str]]) -> list[str]:
        """What is on the hosts that was not there before, or is gone."""
        now = self.objects()
        return [f"{node}: {one}" for node in NODES for one in sorted({*now[node]} ^ {*before[node]})]

    def foreign(self) -> list[Any]:
        """What others have, in full."""
        names = (
            "docker service inspect theirs; docker network inspect theirs-net; docker node inspect $(docker node ls -q)"
        )
        found = [json.loads(part) for part in self.run("host1", names).replace("\n]\n[", "\n]\0[").split("\0")]
        for node in found[2]:
            node.pop("UpdatedAt"), node.pop("Version")
        tasks = [self.run(node, "docker ps -q --no-trunc --filter name=theirs") for node in NODES]
        containers = [
            json.loads(self.run(node, f"docker inspect {task}")) for node, task in zip(NODES, tasks, strict=True)
        ]
        return [found, containers]

    def traffic(self, since: str) -> tuple[int, list[str]]:
        """How often others' tasks have asked all of their service meanwhile, and what they did not get."""
        logs = "docker logs --since {} $(docker ps -q --filter name=theirs)"
        lines = [line for node in NODES for line in self.run(node, logs.format(since)).splitlines()]
        return lines.count("round"), [line for line in lines if line != "round"]

    def events(self, since: str) -> list[str]:
        """What happened meanwhile to things that are not the test's."""
        format = "'{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{json .Actor.Attributes}}'"
        seen = [
            line
            for node in NODES
            for line in self.run(
                node, f"docker events --since {since} --until $(date +%s) --format {format}"
            ).splitlines()
        ]
        return [line for line in seen if "theirs" in line]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    lab = namespaces_lab(f"cluster-{os.getpid()}", "10.75.0.0/24", docker_hosts=3)
    with lab_up(lab) as up:
        folder = tmp_path_factory.mktemp("cluster")
        nightly_lab = existing_lab(lab, open_machines(lab), folder)
        file = folder / "existing.yml"
        inventory = yaml.safe_load(file.read_text())
        for name, host in lab.inventory.hosts.items():
            inventory["hosts"][name]["roles"] = list(host.roles)
        file.write_text(yaml.safe_dump(inventory))
        made = Bench(up, nightly_lab)
        made.run("host1", "docker swarm init --advertise-addr 10.75.0.11 --data-path-addr 10.75.0.11")
        token = made.run("host1", "docker swarm join-token -q worker")
        for name in ("host2", "host3"):
            address = lab.inventory.hosts[name].address
            made.run(name, f"docker swarm join --token {token} --advertise-addr {address} 10.75.0.11:2377")
        seed(made)
        yield made


def seed(bench: Bench) -> None:
    """A service of somebody else, with a task on every node, from an image that was loaded manually; and a volume."""
    from clusterlab.build.container_image import built_image

    archive = built_image("busybox", bench.up.lab.inventory.release, Silent())
    for node in NODES:
        bench.up.hosts[node].write("/root/theirs.tar", archive.path.read_bytes())
        bench.run(node, f"docker load -qi /root/theirs.tar && docker tag {archive.config_id} theirs:1")
    bench.run("host1", "docker network create -d overlay theirs-net")
    create = "docker service create -q --name theirs --network theirs-net --mode global theirs:1 sh -c"
    bench.run("host1", f"{create} {shlex.quote(CHATTER)}")
    options = "-o type=nfs -o o=addr=10.75.0.99,ro,nfsvers=4.2 -o device=:/theirs"
    bench.run("host2", f"docker volume create {options} theirs-data")


@contextmanager
def broken(bench: Bench, host: str, begin: str, end: str) -> Iterator[None]:
    bench.run(host, begin)
    try:
        yield
    finally:
        bench.run(host, end)


def failed(results: dict[str, Any]) -> dict[str, str]:
    return {one["check"]: one["hint"] for one in results["results"] if one["outcome"] not in ("pass", "unsupported")}


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


MOUNTS = "every node mounts /theirs of 10.75.0.99, as volume theirs-data does, and reads it"
PING = "on an overlay network every node reaches every other (VXLAN, UDP 4789)"
TCP = "TCP connects from every node to every other"
NEWS = "the name of a new container is known on every node within seconds (UDP 7946)"
PACKETS = "full-size packets pass unfragmented from every node to every other"
WAYS = {
    ("host1", "host2"): "timed out: nothing arrives at host2",
    ("host2", "host1"): "timed out: the answer of host1 is lost",
}
PAIR = "host1 and host2 do not reach each other"


@pytest.mark.parametrize(
    ("rule", "only", "says"),
    [
        (DROP_ONE_WAY, ["ping", "tcp", "gossip"], {PING: PAIR, TCP: PAIR}),
        (DROP_LONG, ["packets", "ping", "gossip"], {PACKETS: "host2 is not reached by any other node"}),
    ],
    ids=["4789-one-way", "mtu"],
)
def test_what_is_broken_is_named_by_node_and_nothing_else_fails(
    bench: Bench, rule: str, only: list[str], says: dict[str, str]
) -> None:
    words = [word for name in only for word in ("--only", name)]
    with broken(bench, "host2", rule.format("I"), rule.format("D")):
        code, results, printed = bench.test("-i", "existing.yml", *words)
    hints = failed(results)
    assert code == 1, printed
    assert hints.keys() == says.keys(), printed
    for title, said in says.items():
        assert hints[title].startswith(said), printed
        assert f"{title}: {said}" in printed
    links = [link for one in results["results"] for item in one["evidence"] for link in item["links"]]
    ways = {(link["source"], link["target"]): link["found"] for link in links if link["found"].startswith("timed out")}
    assert ways == (WAYS if TCP in says else {}), printed


def test_a_node_that_drops_udp_7946_is_the_one_that_misses_new_names(bench: Bench) -> None:
    """Of all pairs, only its own lack news, at least where it should hear.

    Some news come over TCP all the same, by chance; others hear nothing of it either while they take it for lost.
    """
    with broken(bench, "host2", DROP_GOSSIP.format("I"), DROP_GOSSIP.format("D")):
        code, results, printed = bench.test("-i", "existing.yml", "--only", "news", "--only", "gossip")
    hints = failed(results)
    assert (code, list(hints)) == (1, [NEWS]), printed
    assert "host2 " in hints[NEWS].partition(".")[0], printed
    (news,) = (one for one in results["results"] if one["check"] == NEWS)
    missed = [link for item in news["evidence"] for link in item["links"] if not link["seen"]]
    assert all("host2" in (link["source"], link["target"]) for link in missed), printed
    assert any(link["source"] == "host2" for link in missed), printed


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


STATE = (
    "docker node inspect --format '{{.Spec.Availability}} {{len .Spec.Labels}}' $(docker node ls -q) | sort | uniq -c"
)
SOUND = f"{len(NODES)} active 0"


@pytest.fixture(scope="module")
def allowed(bench: Bench) -> Iterator[str]:
    """An inventory with permission for actions, on a cluster whose host3 runs no task: before, no node is drained."""
    folder = bench.nightly_lab.folder
    inventory = yaml.safe_load((folder / "existing.yml").read_text()) | {"allow_actions": True}
    (folder / "allowed.yml").write_text(yaml.safe_dump(inventory))
    code, out, err = bench.nightly_lab.run("test-cluster", "-i", "allowed.yml", "--only", "drain")
    assert (code, "a worker without any task" in out + err) == (2, True), out + err
    bench.run("host1", "docker service update -q --constraint-add node.hostname!=host3 theirs")
    yield "allowed.yml"
    bench.run("host1", "docker service update -q --detach --constraint-rm node.hostname!=host3 theirs")


def test_a_node_is_drained_and_given_back_with_permission_and_without_it_nothing_is(bench: Bench, allowed: str) -> None:
    code, out, err = bench.nightly_lab.run("test-cluster", "-i", "existing.yml", "--only", "drain")
    assert code == 2, out + err
    assert "it takes `allow_actions: true` in the inventory, and a worker without any task" in out + err
    code, results, printed = bench.test("-i", allowed, "--only", "drain")
    assert (code, failed(results)) == (0, {}), printed
    assert [one["check"] for one in results["results"]] == ["the tasks of host3 move to other nodes when it is drained"]
    assert bench.run("host1", STATE) == SOUND


def test_a_node_that_a_killed_test_drained_is_given_back(bench: Bench, allowed: str) -> None:
    process = bench.nightly_lab.start("test-cluster", "-i", allowed, "--only", "drain")
    try:
        bench.run(
            "host1", f"n=0; until {STATE} | grep -q drain; do sleep 0.1; n=$((n+1)); [ $n -lt 900 ] || exit 1; done"
        )
    finally:
        kill(bench, process)
    code, out, err = bench.nightly_lab.run("clean", "-i", "existing.yml")
    assert code == 0, out + err
    assert bench.run("host1", STATE) == SOUND


MOMENTS = {
    "a-container-runs": "docker ps --format '{{.Names}}' | grep -q clusterlab--",
    "it-removes": "! docker ps --format '{{.Names}}' | grep -q clusterlab--",
}
"""What is seen on host2 when the test is killed: the last, once a container of it was there."""


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_a_killed_test_left_is_removed_by_the_next_one(bench: Bench, moment: str) -> None:
    before = bench.objects()
    process = bench.nightly_lab.start("test-cluster", "-i", "existing.yml", "--only", "ping", "--only", "virtual")
    try:
        if moment == "it-removes":
            wait_for(bench, MOMENTS["a-container-runs"])
        wait_for(bench, MOMENTS[moment])
    finally:
        kill(bench, process)
    assert bench.objects() != before
    code, _, printed = bench.test("-i", "existing.yml", "--only", "gossip")
    assert code == 0, printed
    assert bench.objects() == before


def test_what_a_killed_test_of_another_lab_left_is_named_and_not_touched(bench: Bench) -> None:
    before, folder = bench.objects(), bench.nightly_lab.folder
    inventory = yaml.safe_load((folder / "existing.yml").read_text())
    (folder / "second.yml").write_text(yaml.safe_dump(inventory | {"lab": "second"}))
    process = bench.nightly_lab.start("test-cluster", "-i", "existing.yml", "--only", "ping")
    try:
        wait_for(bench, MOMENTS["a-container-runs"])
    finally:
        kill(bench, process)
    code, results, printed = bench.test("-i", "second.yml", "--only", "ping")
    assert (code, results["results"]) == (3, []), printed
    assert f"the test of the lab {inventory['lab']} left " in printed
    assert "container clusterlab--host2 on host2" in printed
    assert "nothing was created" in printed
    assert "`clusterlab clean -i INVENTORY` with the inventory of that lab removes it" in printed
    code, _, printed = bench.test("-i", "second.yml", "--only", "gossip")
    assert code == 0, printed
    assert f"by the test of the lab {inventory['lab']}: " in printed
    assert any("clusterlab--host2" in one for one in bench.objects()["host2"])
    code, out, err = bench.nightly_lab.run("clean", "-i", "existing.yml")
    assert code == 0, out + err
    assert bench.objects() == before


@pytest.mark.long
def test_nothing_is_left_after_twenty_kills_at_random_moments(bench: Bench) -> None:
    """After each the next test, or `clean`, removes what the one that was killed left; shown with `pytest -s`."""
    before, began = bench.objects(), time.monotonic()
    bench.test("-i", "existing.yml")
    longest, chance, left_by_kills = time.monotonic() - began, random.Random(20), 0
    for number in range(1, 21):
        moment = chance.uniform(0, longest)
        process = bench.nightly_lab.start("test-cluster", "-i", "existing.yml")
        time.sleep(moment)
        kill(bench, process)
        left = bench.remaining(before)
        left_by_kills += bool(left)
        if number % 2:
            code, _, printed = bench.test("-i", "existing.yml", "--only", "gossip")
        else:
            code, *texts = bench.nightly_lab.run("clean", "-i", "existing.yml")
            printed = "".join(texts)
        then = bench.remaining(before)
        print(f"kill {number:2} after {moment:5.1f} of {longest:.1f} s left {len(left):2} objects; then {len(then)}")
        assert code == 0, printed
        assert then == [], printed
        assert bench.objects() == before
    assert left_by_kills > 5, "hardly any kill came while something stood on the cluster"


def test_an_interrupted_test_removes_what_it_created(bench: Bench) -> None:
    before = bench.objects()
    process = bench.nightly_lab.start("test-cluster", "-i", "existing.yml")
    wait_for(bench, MOMENTS["a-container-runs"])
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 3, out + err
    assert bench.objects() == before


def wait_for(bench: Bench, shown: str, node: str = "host2") -> None:
    """Until something is seen on a node, seconds after the start of what leads to it."""
    bench.run(node, f"n=0; until {shown}; do sleep 0.1; n=$((n+1)); [ $n -lt 400 ] || exit 1; done")


def kill(bench: Bench, process: subprocess.Popen[str]) -> None:
    """Kill a test; whoever comes next does not wait until its locks on the hosts expire."""
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for node in ("gw", *NODES):
        bench.run(node, "rm -f /run/lock/clusterlab.lock /var/lock/clusterlab.lock /tmp/clusterlab.lock")


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


def on_exports(bench: Bench, names: tuple[str, ...], second: str) -> dict[str, Outcome]:
    """What becomes of statements about an export where the second of two containers is on a host of choice."""
    hosts: dict[str, dict[str, object]] = {
        name: {"address": str(host.address), "roles": ["docker" if name in NODES else "nfs_server"]}
        for name, host in bench.up.lab.inventory.hosts.items()
    }
    exports = {"exports": [{"path": "/a", "clients": "*"}]}
    inventory = Inventory.model_validate({"lab": "exports", "machines": "namespaces", "hosts": hosts, "nfs": exports})
    subject = Subject(inventory, ("host1", "host2"), PORT)
    waiting = {"image": IMAGE, "command": ["sleep", "infinity"], "volumes": [f"{share(0)}:{SHARED_AT}"]}
    play = {
        "title": "Two containers with a folder",
        "volumes": {share(0): {"hosts": ["host1", second]}},
        "containers": {
            shared(0, "host1"): {**waiting, "host": "host1", "environment": {"NODE": "host1"}},
            shared(0, "host2"): {**waiting, "host": second, "environment": {"NODE": "host2"}},
        },
        "checks": [one for name in names for one in PROPERTIES[name].of(subject)],
    }
    lab = with_test(bench.up.lab, Options(properties=["gossip"]))
    lab = replace(lab, plays={PLAY: Play.model_validate(play)})
    made = carry_out(apply(lab, bench.up.hosts, unsupported=bench.up.machines.unsupported()), Silent())
    assert made.ok, made.failed
    results = run_checks(lab, bench.up.hosts, ALL_CAPABILITIES, lambda result: None, Silent())
    print(*map(told, results), sep="\n")
    carry_out(clean(bench.up.lab.name, bench.up.hosts, delete_data=True), Silent())
    return {name: one.outcome for name, one in zip(names, results, strict=True)}


def test_statements_about_exports_pass_on_a_folder_that_is_shared_and_fail_on_two_of_the_same_name(
    bench: Bench,
) -> None:
    """What they ask is the same on any file system; NFS itself is asked on virtual machines."""
    names = ("shares", "renames", "locks", "listings", "permissions")
    assert on_exports(bench, names, "host1") == dict.fromkeys(names, Outcome.PASS)
    assert on_exports(bench, ("shares", "locks"), "host2") == {"shares": Outcome.FAIL, "locks": Outcome.FAIL}


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

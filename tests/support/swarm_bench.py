"""A Swarm that somebody else created manually, with a service of theirs, and the command line beside it."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from clusterlab.progress import Silent
from tests.support.labs import EngineLab
from tests.support.nightly_lab import NightlyLab

NODES = ("host1", "host2", "host3")
CHATTER = """mkdir /www && echo hello > /www/index.html && httpd -p 8000 -h /www
while true; do
  for one in $(nslookup tasks.theirs 2>/dev/null | awk '/^Name:/ { n = 1 } n && /^Address/ { print $NF }'); do
    wget -q -T 10 -O /dev/null http://$one:8000/ || echo lost $one
  done
  echo round; sleep 0.2
done"""
"""What a task of others does: it asks every task of its service, on all nodes, and prints what it did not get."""


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


def wait_for(bench: Bench, shown: str, node: str = "host2") -> None:
    """Until something is seen on a node, seconds after the start of what leads to it."""
    bench.run(node, f"n=0; until {shown}; do sleep 0.1; n=$((n+1)); [ $n -lt 400 ] || exit 1; done")


def kill(bench: Bench, process: subprocess.Popen[str]) -> None:
    """Kill a test; whoever comes next does not wait until its locks on the hosts expire."""
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for node in ("gw", *NODES):
        bench.run(node, "rm -f /run/lock/clusterlab.lock /var/lock/clusterlab.lock /tmp/clusterlab.lock")

"""A lab for doctor on real engines in namespaces, and the recording of what a sound one answers.

`python -m tests.support.doctor_lab` makes a new recording (as root).
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from clusterlab.build.container_image import built_image
from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.gather import Asked, engines, probes_between, scripts
from clusterlab.doctor.run import of_lab
from clusterlab.machines.qemu.kind import QemuSettings
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
from clusterlab.resources import swarm_actions
from clusterlab.waiting import wait_until
from tests.support.doctor_cases import SOUND, record
from tests.support.labs import EngineLab, lab_up, namespaces_lab

WORKERS = ("host2", "host3")
ENGINES = ("host1", *WORKERS)
_RUN = "docker run -d --restart always --name"
_SLEEP = "shell sleep 1000000"
_NFS = "docker volume create -o type=nfs -o o=addr={gw},hard,nfsvers=4.2 -o device=:/shares shop"
_LISTEN = """
setsid python3 -c '
import socket
listener = socket.create_server(("0.0.0.0", 2049))
while True: listener.accept()[0].close()
' >/dev/null 2>&1 </dev/null &
echo $! > /run/listener.pid
"""
"""In place of an NFS server, which these kernels often lack: what answers on its port."""
_HOSTS = {
    "host1": f"{_RUN} alpha --network app {_SLEEP}",
    "host2": f"{_RUN} beta --network app {_SLEEP}; {_RUN} pub -p 8090:80 {_SLEEP}",
    "host3": "echo 'tmpfs /mnt/share tmpfs defaults 0 0' > /etc/fstab; mkdir -p /mnt/share; mount /mnt/share; "
    f"mkdir /mnt/share/data; {_RUN} bound -v /mnt/share/data:/data {_SLEEP}",
}


def doctor_lab(name: str, subnet: str) -> Lab:
    """gw, a manager host1, and the workers host2 and host3."""
    return namespaces_lab(name, subnet, docker_hosts=3)


@dataclass(frozen=True)
class Patient(EngineLab):
    """The lab, and what its engines had when nothing of a case had been there yet."""

    own: Counter[str]


@contextmanager
def patient(name: str, subnet: str, service_network: str = "") -> Iterator[Patient]:
    """The lab is up inside the block, with what doctor looks at: networks, volumes, binds, a service.

    The service is on an overlay only where nothing is broken: its tasks would fail with what cases do to networks.
    """
    with lab_up(doctor_lab(name, subnet)) as up:
        hosts, inventory = up.hosts, up.lab.inventory
        addresses = {host: str(one.address) for host, one in inventory.hosts.items()}
        swarm_actions.init(swarm_actions.Wanted(hosts["host1"], "manager", addresses["host1"]), name, inventory.swarm)
        for worker in WORKERS:
            swarm_actions.join(swarm_actions.Wanted(hosts[worker], "worker", addresses[worker]), name, hosts["host1"])
        image = built_image("busybox", QemuSettings().release, Silent()).path.read_bytes()
        loaded = "docker load -q | sed 's/.*: //' | xargs -I {} docker tag {} shell"
        for host in ENGINES:
            hosts[host].run(loaded, stdin=image, check=True)
            hosts[host].run(_NFS.format(gw=addresses["gw"]), check=True)
        hosts["gw"].run(_LISTEN, check=True)
        hosts["host1"].run("docker network create -d overlay --attachable app", check=True)
        for host, command in _HOSTS.items():
            hosts[host].run(f"set -e; {command}", check=True, timeout=120)
        hosts["host1"].run(
            "docker service create -q --name web --replicas 2 --no-resolve-image --constraint node.role==worker "
            f"{f'--network {service_network} ' if service_network else ''}{_SLEEP}",
            check=True,
            timeout=120,
        )
        wait_until(lambda: not unsettled(up), "a sound lab", 30.0, seen=lambda: unsettled(up))
        yield Patient(up.lab, up.machines, up.hosts, objects(up))


def unsettled(up: EngineLab) -> str:
    """What the lab still lacks, or what still runs of a case; "" when it is sound.

    Gossip takes moments after a node has joined.
    """
    peers = "docker network inspect -f '{{len .Peers}}' ingress"
    for host in ENGINES:
        if (number := up.hosts[host].run(peers).stdout.strip()) != "3":
            return f"{host} knows {number} peers"
    ready = "docker node ls --format '{{.Status}} {{.Availability}}' | grep -c 'Ready Active'"
    services = "docker service ls --format '{{.Name}} {{.Replicas}}'"
    nodes = up.hosts["host1"].run(f"{ready}; {services}").stdout.split()
    if nodes != ["3", "web", "2/2"]:
        return f"nodes and services are {nodes}"
    if not up.hosts["gw"].run("ss -Hltn sport = :2049").stdout:
        return "nothing listens on gw"
    tasks = "docker ps --filter label={0} --format '{{{{.Label \"{0}\"}}}}'".format("com.docker.swarm.service.name")
    of = [service for host in ENGINES for service in up.hosts[host].run(tasks).stdout.split()]
    return "" if of == ["web", "web"] else f"tasks run of {of}"


def rest(up: Patient) -> None:
    """Wait until engines have removed what cases left: they do so some time after it is gone from the Swarm.

    Or never: an engine may keep the namespace of a network that is gone. What is the same for 30 s changes no more.
    """
    left: Counter[str] = Counter()
    since = time.monotonic()

    def resting() -> bool:
        nonlocal left, since
        if (now := objects(up) - up.own) != left:
            left, since = now, time.monotonic()
        return not left or time.monotonic() - since > 30.0

    wait_until(resting, "engines to tidy up", 120.0, seen=lambda: str(left))


_OBJECTS = r"""
docker ps --format 'container {{.Names}}' | sed 's/\.[a-z0-9]*$//; s/\.[0-9]*$//'
docker ps -a --filter label=com.docker.swarm.service.name --format '{{.Label "com.docker.swarm.service.name"}}' |
  grep -vx web | sed 's/^/containers of /'
docker network ls --format 'network {{.Name}}'
for file in /run/docker/netns/*; do
  case $(stat -f -c %T "$file" 2>/dev/null) in *nsfs*|*6e736673*) echo "${file##*/}" ;; esac
done | sed 's/^[0-9a-f]*$/sandbox/; s/^\(lb_\|[0-9]*-\).*/namespace \1/'
"""


def objects(up: EngineLab) -> Counter[str]:
    """Containers, networks and sandboxes of all engines by number: tasks are created again, and elsewhere."""
    return Counter(line for host in ENGINES for line in up.hosts[host].run(_OBJECTS, check=True).stdout.splitlines())


def seen(up: EngineLab, probe: bool = False) -> Cluster:
    """What doctor sees of the lab."""
    answers = read(up)
    return Cluster(probes_between({name: up.hosts[name] for name in up.hosts}, answers) if probe else answers)


def read(up: EngineLab) -> dict[str, Any]:
    """The answers of engines and fact scripts."""
    hosts = {name: up.hosts[name] for name in up.hosts}
    asked: dict[str, Asked] = {one.name: one for one in of_lab(up.lab).asked}
    return scripts(hosts, engines(hosts, asked))


def _public(recording: dict[str, Any]) -> dict[str, Any]:
    """The recording without paths of the machine that it was made on."""
    text = json.dumps(recording, indent=1, sort_keys=True)
    cleaned: dict[str, Any] = json.loads(re.sub(r"/[^\s\"\\,:=]*(?:clusterlab|team)[^\s\"\\,:=]*", "/lab", text))
    return cleaned


def main() -> None:
    with patient(f"doctor-{os.getpid()}", "10.61.0.0/24", "app") as up:
        recording = _public(record(read(up)))
    SOUND.write_text(json.dumps(recording, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()

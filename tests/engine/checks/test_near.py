"""Probes that stay on the networks of a process: a task on one network, and a router that answers for any address."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from clusterlab.checks import batch
from clusterlab.checks.batch import Job
from clusterlab.checks.place import Place
from clusterlab.checks.places import Places
from clusterlab.model.playbook import Network, Play
from clusterlab.remote import Hosts
from clusterlab.remote.completed import Completed
from clusterlab.waiting import wait_until
from tests.support.labs import namespaces_lab

pytestmark = pytest.mark.engine

NETWORK = """
ip netns add task-{0}; ip netns add peer-{0}; ip netns add out-{0}
ip -n task-{0} link add eth0 type veth peer name eth0 netns peer-{0}
ip -n task-{0} link add eth1 type veth peer name docker_gwbridge netns out-{0}
for space in task peer out; do ip -n $space-{0} link set lo up; done
ip -n task-{0} link set eth0 up; ip -n peer-{0} link set eth0 up; ip -n out-{0} link set docker_gwbridge up
ip -n task-{0} address add 10.0.1.2/24 dev eth0; ip -n peer-{0} address add 10.0.1.3/24 dev eth0
ip -n task-{0} link set eth1 up; ip -n task-{0} address add 172.18.0.2/24 dev eth1
ip -n out-{0} address add 172.18.0.1/24 dev docker_gwbridge; ip -n out-{0} route add local 10.0.2.0/24 dev lo
ip -n task-{0} route add default via 172.18.0.1
"""
SERVE = "exec python3 -m http.server 8080 --directory /var/empty"
SLEEP = "exec sleep 1000"
SPACES = {"bridged": "out", "direct": "peer"}
"""The namespace that is the host of the task: one with docker_gwbridge, or one without."""


@pytest.fixture(scope="module")
def task() -> Iterator[int]:
    """A process on the network of a peer, whose way out leads to who has any address of another network."""
    name = str(os.getpid())
    subprocess.run(["sh", "-ec", NETWORK.format(name)], check=True)
    programs = {"task": SLEEP, "peer": SERVE, "out": SERVE}
    started = {
        space: subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{space}-{name}", "sh", "-c", program], stderr=subprocess.DEVNULL
        )
        for space, program in programs.items()
    }
    try:
        for space in ("peer", "out"):
            table = Path(f"/proc/{started[space].pid}/net/tcp")
            wait_until(partial(_listens, table), f"port 8080 of {space} to be open", 20.0)
        wait_until(partial(_is_inside, started["task"].pid), "the task to be on its own network", 20.0)
        yield started["task"].pid
    finally:
        for space, process in started.items():
            process.kill()
            process.wait()
            subprocess.run(["ip", "netns", "delete", f"{space}-{name}"], check=True)


def _listens(table: Path) -> bool:
    return ":1F90 " in table.read_text()


def _is_inside(pid: int) -> bool:
    """Whether `nsenter` has entered the namespace."""
    return Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Places:
    """Commands run in the namespace that is the host."""

    def run(place: Place, argv: Sequence[str], *, timeout: float = 60.0) -> Completed:
        inside = ["nsenter", f"--net=/run/netns/{SPACES[place.host]}-{os.getpid()}", *argv]
        ended = subprocess.run(inside, capture_output=True, text=True, check=False, timeout=timeout)
        return Completed(place.host, "", ended.returncode, ended.stdout, ended.stderr, 0.0)

    places = Places(namespaces_lab("near", "10.75.0.0/24"), Play(title="none", networks={"net": Network()}), Hosts({}))
    monkeypatch.setattr(places, "run", run)
    return places


@pytest.mark.parametrize(
    ("host", "address", "port", "near", "found"),
    [
        ("bridged", "10.0.1.3", 8080, True, "open"),
        ("bridged", "10.0.1.3", 8081, True, "refused"),
        ("bridged", "10.0.2.3", 8080, True, "no route to host"),
        ("bridged", "10.0.2.3", 8080, False, "open"),  # what a probe over any way meets
        ("direct", "10.0.2.3", 8080, True, "open"),  # the way out is a network of the task, such as one of macvlan
    ],
)
def test_nothing_beyond_the_way_out_is_reached(
    task: int, here: Places, host: str, address: str, port: int, near: bool, found: str
) -> None:
    job = Job(task, "tcp", address, port, near)
    met = batch.ask_all(host, [job], here)[job]
    assert (met.found, met.reached) == (found, found == "open")

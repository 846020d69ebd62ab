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
ip -n task-{0} link add eth1 type veth peer name eth0 netns out-{0}
for space in task peer out; do ip -n $space-{0} link set lo up; ip -n $space-{0} link set eth0 up; done
ip -n task-{0} address add 10.0.1.2/24 dev eth0; ip -n peer-{0} address add 10.0.1.3/24 dev eth0
ip -n task-{0} link set eth1 up; ip -n task-{0} address add 172.18.0.2/24 dev eth1
ip -n out-{0} address add 172.18.0.1/24 dev eth0; ip -n out-{0} route add local 10.0.2.0/24 dev lo
ip -n task-{0} route add default via 172.18.0.1
"""
SERVE = "exec python3 -m http.server 8080 --directory /var/empty"
SLEEP = "exec sleep 1000"


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
    """Commands for host1 run on this machine."""

    def run(place: Place, argv: Sequence[str], *, timeout: float = 60.0) -> Completed:
        ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=timeout)
        return Completed(place.host, "", ended.returncode, ended.stdout, ended.stderr, 0.0)

    places = Places(namespaces_lab("near", "10.75.0.0/24"), Play(title="none", networks={"net": Network()}), Hosts({}))
    monkeypatch.setattr(places, "run", run)
    return places


@pytest.mark.parametrize(
    ("address", "port", "near", "found"),
    [
        ("10.0.1.3", 8080, True, "open"),
        ("10.0.1.3", 8081, True, "refused"),
        ("10.0.2.3", 8080, True, "no route to host"),
        ("10.0.2.3", 8080, False, "open"),  # what a probe over any way meets
    ],
)
def test_nothing_beyond_the_way_out_is_reached(
    task: int, here: Places, address: str, port: int, near: bool, found: str
) -> None:
    job = Job(task, "tcp", address, port, near)
    met = batch.ask_all("host1", [job], here)[job]
    assert (met.found, met.reached) == (found, found == "open")

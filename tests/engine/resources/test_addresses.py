"""A container that fails to join the Swarm's network in time gets an address that the Swarm allocated all the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from clusterlab.model.playbook import Container
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.progress import Silent
from clusterlab.resources.addresses import not_allocated
from clusterlab.resources.container_actions import create_container
from clusterlab.resources.container_body import wanted_container
from tests.support.labs import lab_up, namespaces_lab
from tests.support.late_swarm import LATE, Moment
from tests.support.resource_bench import Bench

pytestmark = pytest.mark.engine

BETA = {"beta": {"host": "host3", "image": "shell", "networks": ["mesh"]}}
KEEPER = {"keeper": {"host": "host2", "image": "shell", "networks": ["mesh"]}}  # so that the network stays there


def play(**containers: dict[str, Any]) -> dict[str, Any]:
    return {"networks": {"mesh": {"driver": "overlay", "attachable": True}}, "containers": containers}


@pytest.fixture(scope="module")
def late() -> Iterator[Bench]:
    lab = namespaces_lab(f"addresses-{os.getpid()}", "10.78.0.0/24", 3, images={"shell": {"build": "busybox"}})
    with lab_up(lab) as up:
        report = carry_out(provision(lab, up.hosts, up.machines.unsupported()), Silent())
        assert report.ok, (report.failed, report.blocked)
        bench = Bench(up.hosts, lab.inventory, up.machines.targets())
        bench.made(play(**BETA))  # it gets the network's first address
        bench.made(play(**BETA, **KEEPER))
        yield bench


def wanted(bench: Bench, name: str) -> Any:
    """A container on mesh, from the image that the lab has."""
    image = bench.sh("host2", "docker inspect keeper --format '{{.Config.Image}}'")
    container = Container.model_validate({"host": "host2", "image": "shell", "networks": ["mesh"]})
    return wanted_container(bench.inventory.lab, "play", name, container, image)


def addresses(bench: Bench) -> dict[str, str]:
    """The addresses on mesh by container."""
    found = {}
    for host in ("host1", "host2", "host3"):
        for one in bench.hosts[host].docker.containers():
            for name, endpoint in one["NetworkSettings"]["Networks"].items():
                if name == "mesh":
                    found[one["Names"][0][1:]] = endpoint["IPAddress"]
    return found


@pytest.fixture(scope="module")
def moment(late: Bench) -> Moment:
    return Moment(late.sh)


@pytest.mark.long
def test_a_start_that_missed_the_swarm_s_answer_is_repeated_with_an_allocated_address(
    late: Bench, moment: Moment
) -> None:
    others = [late.hosts["host1"], late.hosts["host3"]]
    for number in range(12):
        spec = wanted(late, f"alpha{number}")
        hit, note = moment.hit(partial(create_container, late.hosts["host2"], spec, others))
        found = late.hosts["host2"].docker.inspect_container(spec.name)
        mesh = found["NetworkSettings"]["Networks"]["mesh"]
        assert not_allocated(found, [mesh["NetworkID"]]) == []
        known = addresses(late)
        assert len(set(known.values())) == len(known), known
        late.sh("host2", f"docker rm --force --volumes {spec.name}")
        if hit:
            assert "succeeded at attempt 2" in note
            assert LATE in note
            return
    pytest.fail("the manager was never frozen at the right moment")


@pytest.mark.long
def test_a_container_with_the_address_of_another_one_is_planned_to_get_its_own(late: Bench, moment: Moment) -> None:
    """The engine chooses the first address that is free on its host for stale, which is beta's on another host."""
    stale = {"stale": {"host": "host2", "image": "shell", "networks": ["mesh"]}}
    late.made(play(**BETA, **KEEPER, **stale))
    for _ in range(12):
        late.sh("host2", "docker stop stale")
        if moment.hit(lambda: started(late, "stale"))[0]:
            break
    late.sh("host2", "until docker start stale; do sleep 1; done")
    known = addresses(late)
    assert known["stale"] == known["beta"]

    [change] = late.plan(play(**BETA, **KEEPER, **stale))
    assert str(change.key) == "host2: container stale"
    assert [(one.name, one.found) for one in change.differences] == [
        ("networks.mesh.address", f"{known['beta']}, which container beta on host3 has, too")
    ]
    assert late.carry_out([change]).ok
    repaired = addresses(late)
    assert len(set(repaired.values())) == len(repaired), repaired
    assert repaired["beta"] == known["beta"]
    assert late.plan(play(**BETA, **KEEPER, **stale)) == []


def started(bench: Bench, name: str) -> None:
    bench.hosts["host2"].run(["docker", "start", name], timeout=60)

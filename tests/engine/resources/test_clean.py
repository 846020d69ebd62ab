"""Removing all that was made, and nothing else."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from clusterlab.errors import HostError
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean, from_here, left_over
from clusterlab.plan.unused import NEVER, QUESTION
from clusterlab.resources import removal
from tests.support.resource_bench import Bench

pytestmark = pytest.mark.engine

PLAY: dict[str, Any] = {
    "volumes": {"data": {}, "tmp": {"driver_opts": {"type": "tmpfs", "device": "tmpfs"}}},
    "networks": {"net": {}, "mesh": {"driver": "overlay", "attachable": True}},
    "containers": {
        "c1": {"host": "host1", "image": "shell", "volumes": ["data:/data", "tmp:/tmp"], "networks": ["net", "mesh"]},
        "c2": {"host": "host2", "image": "web", "volumes": ["data:/data"], "networks": ["mesh"]},
        "c3": {"host": "host1", "image": "shell", "volumes_from": ["c1"]},
    },
    "services": {
        "svc": {"image": "shell", "networks": ["mesh"], "volumes": ["tmp:/tmp"], "deploy": {"mode": "global"}}
    },
}


def everything(bench: Bench) -> dict[str, str]:
    """What the engines have, by host."""
    what = (
        "docker ps -a --format '{{.Names}}' | sort; docker volume ls -q | sort; "
        "docker network ls --format '{{.Name}}' | sort; "
        "docker images -a --format '{{.ID}}' | sort; mount | grep -c /var/lib/docker/volumes"
    )
    return {host: bench.hosts[host].run(what).stdout for host in ("host1", "host2")}


def test_nothing_of_the_lab_is_left_and_nothing_else_touched(bench: Bench) -> None:
    name = bench.inventory.lab
    bench.carry_out(clean(name, bench.hosts, True))
    manual = (
        "docker volume create hand-v && docker network create hand-n && "
        "docker volume create --label org.clusterlab.lab=other hand-o"
    )
    for host in ("host1", "host2"):
        bench.sh(host, manual)
    before = everything(bench)
    assert left_over(name, bench.hosts) == []
    bench.made(PLAY)

    assert (
        len(left_over(name, bench.hosts)) == 4 + 5 + 3 + 1 + 3
    )  # volumes, containers with tasks, networks, services, images
    report = bench.carry_out(clean(name, bench.hosts))
    assert {str(one.key) for one in report.blocked} == {"host1: volume data", "host2: volume data"}
    assert {one.flag for one in report.blocked} == {"--delete-data"}
    assert not report.failed
    assert left_over(name, bench.hosts) == ["host1: volume data", "host2: volume data"]

    assert bench.carry_out(clean(name, bench.hosts, delete_data=True)).ok
    assert left_over(name, bench.hosts) == []
    assert clean(name, bench.hosts) == []
    assert everything(bench) == before


def test_data_of_tasks_on_a_host_that_does_not_answer_is_kept(bench: Bench) -> None:
    """Its engine is stopped, so nobody knows whether the task there has an anonymous volume; it has one."""
    there = {"placement": {"constraints": ["node.hostname == host2"]}}
    play: dict[str, Any] = {
        "services": {
            "kept": {"image": "stateful", "deploy": there},
            "free": {"image": "shell", "deploy": {"mode": "global"}},
        }
    }
    others: dict[str, Any] = {"networks": {"other": {}}}
    bench.made(play)
    bench.sh("host2", "systemctl stop docker")
    try:
        removals = {one.key.name: one for one in bench.plan(others) if one.key.kind == "service"}
        cleaning = {one.key.name: one for one in clean(bench.inventory.lab, bench.hosts) if one.key.kind == "service"}
        changed = {"services": {**play["services"], "kept": {"image": "stateful", "user": "1", "deploy": there}}}
        updates = {one.key.name: one for one in bench.plan(changed) if one.key.kind == "service"}
    finally:
        bench.sh("host2", "systemctl start docker")
        bench.sh("host1", "until docker node inspect -f {{.Status.State}} host2 | grep -q ready; do sleep 0.2; done")
    for found, flag in ((removals, "--allow-data-loss"), (cleaning, "--delete-data"), (updates, "--allow-data-loss")):
        assert "tasks of service kept on host2 could not be inspected" in found["kept"].blocked
        assert found["kept"].flag == flag
    assert removals["free"].blocked == cleaning["free"].blocked == ""


def test_what_others_use_is_kept_and_said(bench: Bench) -> None:
    name = bench.inventory.lab
    bench.made(PLAY)
    image = "$(docker inspect c1 --format '{{.Config.Image}}')"
    bench.sh("host1", f"docker run -d --name hand-1 -v tmp:/x --network net {image} sleep 1000")
    bench.sh("host2", "docker run -d --name hand-2 --network mesh $(docker inspect c2 --format '{{.Config.Image}}')")

    report = bench.carry_out(clean(name, bench.hosts, True))

    said = {str(one.key): one.blocked for one in report.blocked}
    assert "container hand-1 on host1" in said["host1: volume tmp"]
    assert "container hand-1 on host1" in said["host1: network net"]
    assert "container hand-2 on host2" in said["Swarm: network mesh"]
    assert sum("image" in key for key in said) == 2
    assert bench.sh("host1", "docker inspect hand-1 --format '{{.State.Status}}'") == "running"
    assert bench.sh("host2", "docker inspect hand-2 --format '{{.State.Status}}'") == "running"


def test_a_volume_without_a_name_keeps_its_container_unless_data_may_go(bench: Bench) -> None:
    name = bench.inventory.lab
    bench.made({"containers": {"c1": {"host": "host1", "image": "shell", "volumes": ["/data"]}}})
    report = bench.carry_out(clean(name, bench.hosts))
    assert [one.key.name for one in report.blocked if one.flag == "--delete-data"] == ["c1"]
    assert bench.carry_out(clean(name, bench.hosts, True)).ok
    assert bench.sh("host1", "docker volume ls -q") == ""


def test_a_host_that_does_not_answer_is_named_and_the_others_are_cleaned(bench: Bench) -> None:
    name = bench.inventory.lab
    bench.made({"containers": {f"c{n}": {"host": f"host{n}", "image": "shell"} for n in (1, 2)}})
    bench.sh("host2", "systemctl stop docker")
    try:
        report = bench.carry_out(clean(name, bench.hosts))
        assert [str(one.key) for one in report.blocked] == ["host2: engine docker"]
        (left,) = left_over(name, bench.hosts)
        assert left.startswith("host2: not known: ")
        assert "systemctl start docker" in left
    finally:
        bench.sh("host2", "systemctl start docker")
    assert "host2: container c2" in left_over(name, bench.hosts)


def test_an_engine_that_is_stopped_is_not_taken_for_one_that_never_had_anything(bench: Bench) -> None:
    """Its root directory may be elsewhere, and what another user cannot read may hold anything."""
    bench.sh("host2", "docker volume create --label org.clusterlab.lab=x hand-v && mkdir -p /moved /etc/docker")
    bench.sh("host2", 'echo \'{"data-root": "/moved"}\' > /etc/docker/daemon.json && systemctl stop docker')
    bench.sh("host2", "mv /var/lib/docker/volumes /moved/ && mv /var/lib/docker/containers /moved/containers.away")
    try:
        (left,) = left_over(bench.inventory.lab, bench.hosts)
        assert left.startswith("host2: not known: ")
        bench.sh("host2", "mv /moved/volumes /moved/volumes.away")
        assert left_over(bench.inventory.lab, bench.hosts) == []
        as_nobody = f"setpriv --reuid 65534 --clear-groups sh -c {shlex.quote(QUESTION)}"
        bench.sh("host2", "chmod 710 /var/lib/docker")
        assert bench.hosts["host2"].run(as_nobody).exit != NEVER
    finally:
        bench.sh(
            "host2",
            "cd /var/lib/docker && { [ -e volumes ] || mv /moved/volumes* volumes; } && "
            "{ [ -e containers ] || mv /moved/containers.away containers; } && "
            "rm -rf /etc/docker/daemon.json /moved && systemctl start docker",
        )


def test_what_another_workstation_created_is_left_alone(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bench.inventory.lab
    mine = {"volumes": {"mine": {"hosts": "host1", "driver_opts": {"type": "tmpfs", "device": "tmpfs"}}}}
    bench.made(mine)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("XDG_STATE_HOME", str(tmp_path))
        theirs = {"volumes": {"theirs": {"hosts": "host1"}}, "networks": {"net": {"hosts": "host1"}}}
        bench.carry_out(apply(bench.lab(other=theirs), bench.hosts))
    bench.sh("host1", f"docker volume create --label org.clusterlab.lab={name} hand-v")
    changes = clean(name, bench.hosts, True, only=from_here)
    assert [str(one.key) for one in changes] == ["host1: volume mine"]


def test_an_image_that_others_named_keeps_their_name(bench: Bench) -> None:
    name = bench.inventory.lab
    bench.made({"containers": {"c1": {"host": "host1", "image": "shell"}}})
    bench.sh("host1", "docker tag $(docker inspect c1 --format '{{.Config.Image}}') hand:1")
    assert bench.carry_out(clean(name, bench.hosts)).ok
    assert bench.sh("host1", "docker images --format '{{.Repository}}:{{.Tag}}'") == "hand:1"
    bench.sh("host1", "docker rmi hand:1")


def test_a_network_in_use_names_the_task(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which container on which node, and in which state: the engine gives no more than an ID."""
    bench.made(
        {
            "networks": {"mesh": {"driver": "overlay", "attachable": True}},
            "containers": {"user": {"host": "host2", "image": "shell", "networks": ["mesh"]}},
        }
    )
    container = bench.sh("host2", "docker inspect -f '{{.Id}}' user").strip()
    network = bench.sh("host1", "docker network inspect -f '{{.Id}}' mesh").strip()
    monkeypatch.setattr(removal, "_WAIT", 2.0)
    with pytest.raises(HostError) as raised:
        removal.remove_network(bench.hosts["host1"], "mesh", network, [])
    assert f"of container {container[:12]} on node" in raised.value.detail
    assert "is running since" in raised.value.detail
    assert raised.value.detail.endswith("should be running")

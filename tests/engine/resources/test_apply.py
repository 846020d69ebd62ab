"""What apply does that is not a case of a resource: budgets, manual commands, images, what fails and what it says."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from clusterlab.build.container_image import built_image
from clusterlab.build.image_archive import read_image_archive
from clusterlab.errors import UsageError
from clusterlab.model.lab import Lab
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean, left_over
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from tests.support.resource_bench import Bench, in_order

pytestmark = pytest.mark.engine

"""What a person exports before typing commands: the values of the plays' environments are not in them."""

PLAY: dict[str, Any] = {
    "volumes": {
        "data": {},
        "tmp": {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=10m"}, "labels": ["a=b c"]},
    },
    "networks": {
        "net": {
            "ipam": {"config": [{"subnet": "10.221.0.0/24", "gateway": "10.221.0.1"}]},
            "driver_opts": {"com.docker.network.driver.mtu": 1400},
        },
        "mesh": {"driver": "overlay", "attachable": True},
    },
    "containers": {
        "c1": {
            "host": "host1",
            "image": "shell",
            "command": "sh -c 'sleep \"1000\"'",
            "environment": {"A": "x y"},
            "volumes": ["data:/data", "tmp:/tmp/x:ro"],
            "networks": {"net": {"aliases": ["alias"], "ipv4_address": "10.221.0.9"}, "mesh": None},
            "labels": {"quoted": "it's"},
            "healthcheck": {"test": "true && echo $$", "interval": "2s"},
        },
        "c2": {
            "host": "host2",
            "image": "web",
            "ports": ["9020:80"],
            "networks": ["mesh"],
            "init": True,
            "tmpfs": "/x:size=1m",
        },
    },
}


def test_a_second_apply_changes_nothing_within_its_budget(bench: Bench) -> None:
    plays = {f"p{n}": renamed(PLAY, f"-{n}", n) for n in range(3)}
    report = bench.carry_out(apply(bench.lab(**plays), bench.hosts))
    assert report.ok, [one.error.message for one in report.failed]
    with Hosts(bench.targets) as hosts:
        assert apply(bench.lab(**plays), hosts) == []
        for name in ("host1", "host2"):
            assert hosts[name].counts["connections"] == 1
            assert hosts[name].counts["commands"] == 1
            assert hosts[name].counts["requests"] <= 6, hosts[name].counts
        assert hosts["gw"].counts["connections"] == 0


def test_the_commands_that_are_shown_create_everything(bench: Bench) -> None:
    bench.type(bench.plan(PLAY), PLAY)
    assert [f"{one.key}: {one.reason}" for one in bench.plan(PLAY)] == []


def test_the_commands_that_are_shown_load_and_remove_an_image(bench: Bench) -> None:
    play = {"containers": {"c1": {"host": "host1", "image": "shell"}}}
    bench.carry_out(clean(bench.inventory.lab, bench.hosts, True))
    [image] = [one for one in bench.plan(play) if one.key.kind == "image"]
    archive = built_image("busybox", bench.inventory.release, Silent()).path
    bench.hosts["host1"].write(archive.name, archive.read_bytes())
    bench.sh("host1", f"{image.command} && rm {archive.name}")
    assert "image" not in [one.key.kind for one in bench.plan(play)]
    for change in in_order(clean(bench.inventory.lab, bench.hosts)):
        bench.sh(change.key.host, change.command)
    assert left_over(bench.inventory.lab, bench.hosts) == []


def test_the_commands_that_are_shown_repair_containers(bench: Bench) -> None:
    play = {
        "networks": {"mesh": {"driver": "overlay", "attachable": True}},
        "containers": {
            "c1": {"host": "host2", "image": "shell", "restart": "always", "networks": {"mesh": {"aliases": ["one"]}}},
            "c2": {"host": "host2", "image": "shell"},
        },
    }
    bench.made(play)
    before = bench.identities()
    bench.sh(
        "host2",
        "docker update --restart no c1 && docker network disconnect mesh c1 && docker pause c1 && docker stop c2 &&"
        "until [ -z $(docker ps -q --filter name=^c2$) ]; do sleep 0.05; done",  # the engine's list comes a bit later
    )
    repairs = bench.plan(play)
    assert [one.key.name for one in repairs] == ["c1", "c2"]
    bench.type(repairs, play)
    assert [f"{one.key}: {one.reason}" for one in bench.plan(play)] == []
    assert bench.identities() == before


def test_a_service_is_updated_by_what_differs_and_keeps_what_others_set_until_the_play_changes(bench: Bench) -> None:
    play = {"services": {"svc": {"image": "shell", "environment": {"A": 1, "B": 2}}}}
    bench.made(play)
    bench.sh("host1", "docker service update --quiet --limit-pids 77 --update-parallelism 3 svc")
    assert bench.plan(play) == []
    wanted = {"services": {"svc": {"image": "shell", "environment": {"A": 1, "C": 3}}}}
    [change] = bench.plan(wanted)
    words = [word for word in shlex.split(change.command) if not word.startswith("org.clusterlab.spec=")]
    assert shlex.join(words) == (
        "docker service update --no-resolve-image --env-rm B --env-add C --limit-pids 0 --update-parallelism 1"
        " --label-add svc"
    )
    bench.made(wanted)
    spec = "{{.Spec.TaskTemplate.Resources.Limits.Pids}} {{.Spec.UpdateConfig.Parallelism}}"
    assert bench.sh("host1", f"docker service inspect svc --format '{spec}'") == "0 1"


def test_images_are_the_same_on_each_host_and_known_beforehand(bench: Bench) -> None:
    containers = {f"c{n}": {"host": f"host{n}", "image": "shell"} for n in (1, 2)}
    bench.made({"containers": containers})
    built = built_image("busybox", bench.inventory.release, Silent())
    for n in (1, 2):
        assert bench.sh(f"host{n}", f"docker inspect c{n} --format '{{{{.Image}}}}'") == built.config_id


def test_an_archive_is_loaded_and_its_image_known_from_the_file(bench: Bench, tmp_path: Path) -> None:
    bench.made({"containers": {"c1": {"host": "host1", "image": "shell"}}})
    bench.sh(
        "host1",
        "docker tag $(docker inspect c1 --format '{{.Config.Image}}') hand:1 && docker save -o /tmp/hand.tar hand:1",
    )
    (tmp_path / "hand.tar").write_bytes(bench.hosts["host1"].read("/tmp/hand.tar"))
    bench.sh("host1", "docker rmi hand:1 && rm /tmp/hand.tar")
    lab = bench.lab({"containers": {"c1": {"host": "host2", "image": "other"}}})
    inventory = lab.inventory.model_copy(update={"images": inventory_images(other={"archive": "hand.tar"})})
    lab = Lab(inventory, lab.plays, tmp_path)
    assert bench.carry_out([one for one in apply(lab, bench.hosts) if one.key.host == "host2"]).ok
    assert [one.key.host for one in apply(lab, bench.hosts) if one.key.host == "host2"] == []
    expected = read_image_archive(tmp_path / "hand.tar").config_id
    assert bench.sh("host2", "docker inspect c1 --format '{{.Image}}'") == expected
    (tmp_path / "hand.tar").unlink()
    with pytest.raises(UsageError, match="image other: there is no file"):
        apply(lab, bench.hosts)


def test_an_image_that_cannot_be_pulled_says_what_to_do(bench: Bench) -> None:
    lab = bench.lab({"containers": {"c1": {"host": "host1", "image": "p"}, "c2": {"host": "host2", "image": "p"}}})
    inventory = lab.inventory.model_copy(update={"images": inventory_images(p={"pull": "localhost:1/no/such:1"})})
    report = bench.carry_out(apply(Lab(inventory, lab.plays, Path()), bench.hosts))
    assert [str(one.change.key) for one in report.failed] == ["host1: image p"]
    assert "cannot pull image localhost:1/no/such:1" in report.failed[0].error.message
    assert "without one use `build:` or `archive:`" in report.failed[0].error.remedy
    assert {str(one.change.key) for one in report.skipped} == {
        "host2: image p",
        "host1: container c1",
        "host2: container c2",
    }


@pytest.mark.parametrize(
    ("container", "volume", "message"),
    [
        ({"command": "nonsense"}, {}, "its command does not exist in the image"),
        ({"command": "sh -c 'echo broken config >&2; exit 3'"}, {}, "ended at once with exit code 3"),
        ({}, {"type": "none", "o": "bind", "device": "/no/such"}, "a folder to bind is missing"),
        ({}, {"type": "nonsense", "device": "/x"}, "the kernel of this host, or the server, lacks this file system"),
        (
            {},
            {"type": "tmpfs", "device": "tmpfs", "o": "nonsense=1"},
            "the kernel does not accept the volume's options",
        ),
    ],
)
def test_a_container_that_cannot_start_says_why(
    bench: Bench, container: dict[str, Any], volume: dict[str, Any], message: str
) -> None:
    play = {
        "volumes": {"vol": {"hosts": "host1", "driver_opts": volume}},
        "containers": {
            "bad": {"host": "host1", "image": "shell", "volumes": ["vol:/data"], **container},
            "good": {"host": "host1", "image": "shell"},
        },
    }
    report = bench.carry_out(bench.plan(play))
    assert [one.change.key.name for one in report.failed] == ["bad"]
    assert message in report.failed[0].error.message
    assert report.failed[0].error.remedy
    assert "good" in [one.change.key.name for one in report.done]
    assert [one.key.name for one in bench.plan(play)] == ["bad"]


def test_a_port_that_is_taken_is_said_to_be(bench: Bench) -> None:
    play = {"containers": {f"c{n}": {"host": "host1", "image": "shell", "ports": ["9030:80"]} for n in (1, 2)}}
    report = bench.carry_out(bench.plan(play))
    assert len(report.failed) == 1
    assert "a port that it publishes is taken" in report.failed[0].error.message


def test_a_container_that_somebody_put_in_its_place_meanwhile_stays_as_it_is(bench: Bench) -> None:
    """Between the plan and what is done: the container is its id, and its name may be theirs by now."""
    play = {"containers": {"box": {"host": "host1", "image": "shell", "restart": "always"}}}
    bench.made(play)
    bench.sh("host1", "docker update --restart no box")
    (change,) = bench.plan(play)
    bench.sh("host1", "docker pause box")
    (both,) = bench.plan(play)
    image = bench.sh("host1", "docker inspect box --format '{{.Config.Image}}'")
    bench.sh("host1", f"docker rm -f box && docker run --detach --name box {image} sleep 1000 && docker pause box")
    try:
        for one in (change, both):
            report = bench.carry_out([one])
            assert "No such container" in report.failed[0].error.message + report.failed[0].error.detail
        theirs = bench.sh("host1", "docker inspect box --format '{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}'")
        assert theirs == "paused no"
    finally:
        bench.sh("host1", "docker unpause box; docker rm -f box")


def test_the_plan_names_the_play_that_loses_a_container_or_network(bench: Bench) -> None:
    def play(subnet: str) -> dict[str, Any]:
        network = {"hosts": "host1", "ipam": {"config": [{"subnet": subnet}]}}
        return {"networks": {"net": network}, "containers": {"box": {"host": "host1", "image": "shell"}}}

    assert bench.carry_out(apply(bench.lab(first=play("10.223.0.0/24")), bench.hosts)).ok
    changes = apply(bench.lab(second=play("10.224.0.0/24")), bench.hosts)
    assert {(str(one.key), one.action, one.reason.split(";")[0]) for one in changes if one.key.kind != "image"} == {
        ("host1: network net", "replace", "it belongs to the play first, which is not named here"),
        ("host1: container box", "replace", "it belongs to the play first, which is not named here"),
    }


@pytest.mark.parametrize(("host", "driver"), [("host1", "bridge"), ("host2", "overlay")])
def test_an_address_that_somebody_has_is_named_with_both_owners(bench: Bench, host: str, driver: str) -> None:
    network = {"driver": driver, "ipam": {"config": [{"subnet": "10.201.0.0/24"}]}}
    networks = {"mesh": {**network, **({"attachable": True} if driver == "overlay" else {})}}
    keeper = {"host": "host1", "image": "shell", "networks": ["mesh"]}
    play: dict[str, Any] = {"networks": networks, "containers": {"keeper": keeper}}
    bench.made(play)
    image = bench.sh("host1", "docker inspect keeper --format '{{.Config.Image}}'")
    bench.sh("host1", f"docker run --detach --name hand-1 --network mesh --ip 10.201.0.77 {image}")
    wants = {"host": host, "image": "shell", "networks": {"mesh": {"ipv4_address": "10.201.0.77"}}}
    report = bench.carry_out(bench.plan({**play, "containers": {"keeper": keeper, "late": wants}}))
    (failed,) = report.failed
    assert failed.error.message == (
        f"{host}: container late wants the address 10.201.0.77 on network mesh, which container hand-1 on host1 has"
    )
    assert "`ipv4_address`" in failed.error.remedy


def test_a_host_without_its_engine_keeps_back_only_what_stands_there(bench: Bench) -> None:
    play = {"containers": {f"c{n}": {"host": f"host{n}", "image": "shell"} for n in (1, 2)}}
    bench.sh("host2", "systemctl stop docker")
    try:
        report = bench.carry_out(bench.plan(play))
    finally:
        bench.sh("host2", "systemctl start docker")
    assert "c1" in [one.change.key.name for one in report.done]
    assert [str(one.key) for one in report.blocked] == ["host2: engine docker"]
    assert "the Docker engine is not running" in report.blocked[0].blocked
    bench.made(play)


def test_a_host_in_another_swarm_is_told_from_one_in_the_lab_s(bench: Bench) -> None:
    play = {
        "networks": {"mesh": {"driver": "overlay", "attachable": True}},
        "containers": {f"c{n}": {"host": f"host{n}", "image": "shell", "networks": ["mesh"]} for n in (1, 2)},
    }
    address = str(bench.inventory.hosts["host2"].address)
    bench.sh("host2", f"docker swarm leave && docker swarm init --advertise-addr {address} >/dev/null")
    try:
        report = bench.carry_out(bench.plan(play))
        assert [one.blocked for one in report.blocked] == [
            "host2 is in another Swarm than host1: run `clusterlab provision`"
        ]
        assert [one.change.key.name for one in report.skipped] == ["c2"]
        bench.sh("host2", "docker swarm leave --force")
        (blocked,) = [one for one in bench.plan(play) if one.blocked]
        assert blocked.blocked == "host2 is in no Swarm (state: inactive): run `clusterlab provision`"
    finally:
        bench.sh("host2", "docker swarm leave --force 2>/dev/null; true")
        token = bench.sh("host1", "docker swarm join-token -q worker")
        manager = bench.inventory.hosts["host1"].address
        bench.sh("host2", f"docker swarm join --advertise-addr {address} --token {token} {manager}:2377")
        bench.sh(
            "host1",
            "docker node ls --format '{{.ID}} {{.Status}}' | sed -n 's/ Down//p' | xargs -r docker node rm --force",
        )
    bench.made(play)


def inventory_images(**images: dict[str, Any]) -> dict[str, Any]:
    from clusterlab.model.inventory import Image

    return {name: Image.model_validate(one) for name, one in images.items()}


def renamed(play: dict[str, Any], suffix: str, number: int) -> dict[str, Any]:
    """PLAY with other names, addresses and ports."""
    import json

    text = json.dumps(play)
    for name in ("data", "tmp", "net", "mesh", "c1", "c2"):
        text = text.replace(f'"{name}"', f'"{name}{suffix}"').replace(f'"{name}:', f'"{name}{suffix}:')
    return dict(json.loads(text.replace("10.221.", f"10.{222 + number}.").replace("9020", str(9020 + number))))

"""Commands for what the containers of a service may do, and services of plays that are lowered as those of stacks."""

from __future__ import annotations

import copy
import re
import shlex
from typing import Any

import pytest

from clusterlab.model.playbook import Service
from clusterlab.resources.service_body import WantedService, update_command, wanted_service
from clusterlab.resources.service_drift import FoundService, service_differences

WHOLE = {
    "tty": True,
    "dns": "10.0.0.1",
    "dns_search": ["a", "b"],
    "cap_add": ["net_admin", "CAP_KILL"],
    "cap_drop": ["ALL", "CHOWN"],
    "sysctls": ["net.ipv4.ip_forward=1"],
    "ulimits": {"nofile": {"soft": 4, "hard": 5}, "core": 0},
    "logging": {"driver": "json-file", "options": {"max-file": 3}},
    "ports": [{"target": 80, "published": 8080, "mode": "host"}],
    "volumes": [
        {"type": "volume", "source": "data", "target": "/d", "volume": {"nocopy": True}},
        {"type": "tmpfs", "target": "/t", "tmpfs": {"size": "1M"}},
        {"type": "bind", "source": "/x", "target": "/y", "bind": {"propagation": "rslave"}, "read_only": True},
    ],
    "deploy": {
        "mode": "replicated-job",
        "replicas": 2,
        "labels": {"of": "deploy"},
        "placement": {"preferences": [{"spread": "node.labels.rack"}], "max_replicas_per_node": 1},
    },
}


def wanted(**service: Any) -> WantedService:
    return wanted_service("lab", "play", "name", Service.model_validate({"image": "i", **service}), "tag")


def spec(service: WantedService) -> dict[str, Any]:
    return copy.deepcopy({**service.spec("id"), "Labels": service.labels, "Mode": service.mode})


def typed(command: list[str]) -> str:
    return re.sub(r" --(container-)?label(-add)? org\.clusterlab\.\S+", "", shlex.join(command))


def test_the_command_that_creates_a_service_with_everything() -> None:
    assert typed(wanted(**WHOLE).command("id")) == (
        "docker service create --name name --no-resolve-image --mode replicated-job --replicas 2"
        " --placement-pref spread=node.labels.rack --replicas-max-per-node 1"
        " --mount type=volume,source=data,target=/d,volume-nocopy=true"
        " --mount type=tmpfs,target=/t,tmpfs-size=1048576"
        " --mount type=bind,source=/x,target=/y,readonly,bind-propagation=rslave"
        " --publish published=8080,target=80,protocol=tcp,mode=host"
        " --tty --dns 10.0.0.1 --dns-search a --dns-search b --cap-add CAP_KILL --cap-add CAP_NET_ADMIN --cap-drop ALL"
        " --sysctl net.ipv4.ip_forward=1 --ulimit core=0:0 --ulimit nofile=4:5"
        " --log-driver json-file --log-opt max-file=3 --label of=deploy id"
    )


def test_a_service_is_created_with_a_placement_so_that_commands_can_change_it() -> None:
    assert wanted().spec("id")["TaskTemplate"]["Placement"] == {}


@pytest.mark.parametrize(
    ("before", "after", "flags"),
    [
        ({}, {"tty": True}, "--tty=true"),
        ({"dns": ["1.1.1.1", "2.2.2.2"]}, {"dns": ["2.2.2.2", "3.3.3.3"]}, "--dns-rm 1.1.1.1 --dns-add 3.3.3.3"),
        (
            {"cap_add": ["KILL"], "cap_drop": ["CHOWN"]},
            {"cap_add": ["CHOWN"]},
            "--cap-add RESET --cap-add CAP_CHOWN --cap-drop RESET",
        ),
        ({"cap_drop": ["kill"]}, {"cap_drop": ["CAP_KILL"]}, ""),
        ({"sysctls": {"a.b": 1, "a.c": 1}}, {"sysctls": {"a.c": 2}}, "--sysctl-rm a.b --sysctl-add a.c=2"),
        ({"ulimits": {"core": 1, "cpu": 1}}, {"ulimits": {"core": 2}}, "--ulimit-rm cpu --ulimit-add core=2:2"),
        ({}, {"logging": {"driver": "none"}}, "--log-driver none"),
        (
            {"deploy": {"placement": {"preferences": [{"spread": "a"}, {"spread": "b"}]}}},
            {"deploy": {"placement": {"preferences": [{"spread": "b"}, {"spread": "a"}]}}},
            "--placement-pref-rm spread=a --placement-pref-rm spread=b"
            " --placement-pref-add spread=b --placement-pref-add spread=a",
        ),
        (
            {"ports": [{"target": 80, "published": 8080, "mode": "host"}]},
            {"ports": ["8080:80"]},
            "--publish-rm target=80,protocol=tcp,mode=host"
            " --publish-add published=8080,target=80,protocol=tcp,mode=ingress",
        ),
        (
            {"ports": ["8080:80"]},
            {"ports": ["8080:80", "8081:80"]},
            "--publish-add published=8081,target=80,protocol=tcp,mode=ingress",
        ),
    ],
)
def test_the_command_that_changes_one_option(before: dict[str, Any], after: dict[str, Any], flags: str) -> None:
    command = typed(update_command(wanted(**after), spec(wanted(**before)), {}, "id"))
    assert command.split() == f"docker service update --no-resolve-image {flags} name".split()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"stdin_open": True}, {}),
        ({"logging": {"driver": "none"}}, {}),
        ({}, {"dns": ["10.0.0.2", "10.0.0.1"]}),  # commands would sort them
        ({"deploy": {"mode": "replicated-job"}}, {"deploy": {"mode": "replicated-job", "replicas": 2}}),
        ({"ports": ["8080:80", "8081:80"]}, {"ports": ["8081:80"]}),  # both would go
    ],
)
def test_what_no_command_changes_is_not_shown_as_one(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert update_command(wanted(**after), spec(wanted(**before)), {}, "id") == []
    assert wanted(stdin_open=True).command("id") == []


def test_a_job_that_drops_its_restart_policy_gets_that_of_jobs() -> None:
    none = spec(wanted(deploy={"mode": "replicated-job", "restart_policy": {"condition": "none"}}))
    after = wanted(deploy={"mode": "replicated-job"}).deployed(none)
    assert after == {("TaskTemplate", "RestartPolicy", "Condition"): "on-failure"}


def test_the_empty_driver_that_commands_give_a_volume_is_no_difference() -> None:
    service = wanted(volumes=[{"type": "volume", "source": "data", "target": "/d", "volume": {"nocopy": True}}])
    found = spec(service)
    (mount,) = found["TaskTemplate"]["ContainerSpec"]["Mounts"]
    mount["VolumeOptions"]["DriverConfig"] = {}
    assert service_differences(service, FoundService({"Spec": found}), "id") == []
    assert update_command(service, found, {}, "id") == ["docker", "service", "update", "--no-resolve-image", "name"]

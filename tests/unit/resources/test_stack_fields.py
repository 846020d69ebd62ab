"""Specs of services field by field, nodes that can take tasks, and what an update does to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clusterlab.resources.candidates import candidates, node_states
from clusterlab.resources.restarts import at_risk, restart_of, update_order
from clusterlab.resources.stack_fields import differences_of, field_name, restarts
from clusterlab.resources.stack_services import wanted_spec
from clusterlab.stacks import Stack, load_stack

REPORTED: dict[str, Any] = {
    "Name": "st_web",
    "Labels": {"com.docker.stack.namespace": "st", "com.docker.stack.image": "a:1", "org.clusterlab.lab": "x"},
    "Mode": {"Replicated": {"Replicas": 1}},
    "TaskTemplate": {
        "ContainerSpec": {
            "Image": "a:1@sha256:0",
            "Env": ["B=2", "A=1"],
            "Labels": {"com.docker.stack.namespace": "st"},
            "Privileges": {"CredentialSpec": None, "SELinuxContext": None},
            "StopGracePeriod": 10_000_000_000,
            "DNSConfig": {},
            "Isolation": "default",
            "Mounts": [{"Type": "volume", "Source": "st_data", "Target": "/d", "VolumeOptions": {
                "Labels": {"com.docker.stack.namespace": "st"}, "DriverConfig": {}}}],
        },
        "Resources": {},
        "RestartPolicy": {"Condition": "any", "Delay": 5_000_000_000, "MaxAttempts": 0},
        "Placement": {"Platforms": [{"Architecture": "amd64", "OS": "linux"}]},
        "Networks": [{"Target": "n1", "Aliases": ["web"]}],
        "ForceUpdate": 3,
        "Runtime": "container",
    },
    "EndpointSpec": {"Mode": "vip", "Ports": [
        {"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": "ingress"}]},
}  # fmt: skip
TEXT = """
services:
  web:
    image: a:1
    environment: {A: 1, B: 2}
    ports: [8080:80]
    volumes: [data:/d]
volumes: {data: }
"""


def stack(folder: Path, text: str = TEXT) -> Stack:
    (folder / "stack.yml").write_text(text)
    return load_stack([str(folder / "stack.yml")], "st", {"HOME": "/root"}).valid()


def changed(folder: Path, text: str) -> dict[str, str]:
    one = stack(folder, text)
    found = differences_of(wanted_spec(one, one.services["web"]), REPORTED, {"n1": "st_default"})
    return {difference.name: str(difference).partition(": ")[2] for difference in found.values()}


def test_what_the_engine_adds_is_no_difference(tmp_path: Path) -> None:
    assert changed(tmp_path, TEXT) == {}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("A: 1", "A: 3", {"environment.A": "differs"}),
        ("A: 1, ", "", {"environment.A": "is set, and should not be"}),
        ("A: 1", "A: 1, C: 3", {"environment.C": "is not set"}),
        ("A: 1", 'A: 1, C: ""', {"environment.C": "is not set"}),
        ("8080:80", "9090:80", {"ports.9090:80/tcp": "wanted 'ingress', found None",
                                "ports.8080:80/tcp": "wanted None, found 'ingress'"}),
        ("data:/d", "data:/d:ro", {"volumes./d.read_only": "wanted True, found None"}),
        ("image: a:1\n", "image: a:1\n    init: false\n", {"init": "wanted False, found None"}),
        ("image: a:1\n", "image: a:1\n    stop_grace_period: 1m\n", {"stop_grace_period": "wanted '1m', found '10s'"}),
        ("image: a:1\n", "image: a:1\n    labels: {org.A: b}\n", {"labels.org.A": "wanted 'b', found None"}),
        ("image: a:1\n", "image: a:1\n    labels: [org.A]\n", {"labels.org.A": "wanted '', found None"}),
        ("image: a:1\n", "image: a:1\n    deploy: {labels: {org.A: b}}\n",
         {"deploy.labels.org.A": "wanted 'b', found None"}),
        ("image: a:1\n", "image: a:1\n    deploy: {replicas: 0}\n", {"deploy.replicas": "wanted 0, found 1"}),
        ("image: a:1\n", "image: a:1\n    deploy: {update_config: {parallelism: 0}}\n",
         {"deploy.update_config.parallelism": "wanted 0, found 1"}),
        ("image: a:1\n", "image: a:1\n    deploy: {resources: {limits: {cpus: '0.5'}}}\n",
         {"deploy.resources.limits.cpus": "wanted '0.5', found None"}),
        ("image: a:1\n", "image: a:1\n    sysctls: {net.core.somaxconn: 1}\n",
         {"sysctls.net.core.somaxconn": "wanted '1', found None"}),
        ("image: a:1\n", "image: a:1\n    networks: {default: {aliases: [x]}}\n",
         {"networks.st_default.aliases": "wanted ['web', 'x'], found ['web']"}),
    ],
)  # fmt: skip
def test_a_changed_line_is_that_difference(before: str, after: str, expected: dict[str, str], tmp_path: Path) -> None:
    expected = {name: text.replace("'1m'", "'60s'") for name, text in expected.items()}
    assert changed(tmp_path, TEXT.replace(before, after)) == expected


def test_which_differences_restart_tasks() -> None:
    assert restarts(("TaskTemplate", "ContainerSpec", "Image"))
    assert restarts(("EndpointSpec", "Ports", "8080:80/tcp"))
    assert not restarts(("TaskTemplate", "Placement", "Constraints"))
    assert not restarts(("Mode", "Replicated", "Replicas"))
    assert not restarts(("Labels", "a"))
    assert field_name(("EndpointSpec", "Mode")) == "deploy.endpoint_mode"
    assert field_name(("TaskTemplate", "Placement", "MaxReplicas")) == "deploy.placement.max_replicas"
    assert field_name(("Mode", "mode")) == "deploy.mode"


def test_the_order_of_an_update_in_words() -> None:
    assert update_order({}).startswith("1 at a time, in no fixed order; each is stopped before the new one starts")
    config = {"Parallelism": 2, "Delay": 5_000_000_000, "Order": "start-first", "FailureAction": "rollback"}
    assert update_order({"UpdateConfig": config}) == (
        "2 at a time, 5 s between them, in no fixed order; each new one is started before the old one is stopped; "
        "when one fails, the update is rolled back"
    )
    assert update_order({"UpdateConfig": {"Parallelism": 0}}).startswith("all at once")


def test_data_at_risk(tmp_path: Path) -> None:
    one = stack(tmp_path, TEXT.replace("data:/d", "/other"))
    spec = wanted_spec(one, one.services["web"])
    found = differences_of(spec, REPORTED, {"n1": "st_default"})
    told = list(at_risk("st_web", spec, REPORTED, found, ["host1", "host2"]))
    assert told[0] == "st_web: the volume st_data is no longer mounted at /d; its data stays on the nodes, unused"
    assert "/other is in volumes without a name" in told[1]
    one = stack(tmp_path, TEXT.replace("A: 1", "A: 2"))
    spec = wanted_spec(one, one.services["web"])
    found = differences_of(spec, REPORTED, {"n1": "st_default"})
    assert "each of host1, host2 has a volume st_data of its own" in next(
        at_risk("st_web", spec, REPORTED, found, ["host1", "host2"])
    )
    assert list(at_risk("st_web", spec, REPORTED, found, ["host1"])) == []
    assert restart_of("st_web", spec, found, [], {}, [])
    assert restart_of("st_web", spec, {}, [], {}, []) is None


def test_tasks_move_whose_node_is_no_longer_allowed() -> None:
    tasks = [{"Slot": number, "NodeID": f"n{number}", "DesiredState": "running"} for number in (1, 2)]
    placement = [("TaskTemplate", "Placement", "Constraints")]
    nodes = {"n1": "host1", "n2": "host2"}
    found = restart_of("st_web", {}, placement, tasks, nodes, ["host1"])
    assert str(found) == "st_web: st_web.2 on host2; their node is no longer allowed"
    assert restart_of("st_web", {}, placement, tasks, nodes, ["host1", "host2"]) is None


def node(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "ID": name,
        "Spec": {"Role": "worker", "Availability": "active", "Labels": {}, **spec},
        "Description": {
            "Hostname": name,
            "Platform": {"OS": "linux", "Architecture": "x86_64"},
            "Resources": {"NanoCPUs": 2 * 10**9, "MemoryBytes": 2**30},
            "Engine": {"EngineVersion": "26.1.5", "Plugins": [{"Type": "Log", "Name": "json-file"}]},
        },
        "Status": {"State": "ready", "Addr": "10.0.0.1"},
    }


def test_why_nodes_cannot_take_a_task(tmp_path: Path) -> None:
    down = node("h3")
    down["Status"]["State"] = "down"
    nodes = [
        node("h1", Labels={"disk": "hdd"}),
        node("h2", Availability="drain"),
        down,
        node("h4", Labels={"disk": "ssd"}),
    ]
    tasks = [{
        "NodeID": "h4", "ServiceID": "s1", "DesiredState": "running",
        "Spec": {"Resources": {"Reservations": {"MemoryBytes": 2**30 - 2**20}}},
        "Status": {"PortStatus": {"Ports": [{"PublishedPort": 8080, "Protocol": "tcp"}]}},
    }]  # fmt: skip
    asked = """
    ports: [{target: 80, published: 8080, mode: host}]
    logging: {driver: loki}
    deploy:
      placement: {constraints: [node.labels.disk == ssd]}
      resources: {reservations: {memory: 8M}}"""
    one = stack(tmp_path, TEXT.replace("\n    ports: [8080:80]", asked))
    service = one.services["web"]
    states = node_states(nodes, tasks, {"other": {"ID": "s1"}}, {"h1": frozenset()}, {})
    found = candidates(one, service, wanted_spec(one, service), None, states)
    assert found.can == ()
    assert found.cannot["h1"] == (
        "constraint node.labels.disk == ssd: its labels are disk=hdd", "it has no log driver loki"
    )  # fmt: skip
    assert found.cannot["h2"][0] == "its availability is drain"
    assert found.cannot["h3"][0] == "the node is down"
    assert found.cannot["h4"] == (
        "it reserves 8 MiB of memory, and 1 MiB are not reserved",
        "host port 8080 is taken by the service other",
        "it has no log driver loki",
    )
    states = node_states([node("h1")], [], {}, {"h1": frozenset()}, {})
    plain = stack(tmp_path)
    found = candidates(plain, plain.services["web"], wanted_spec(plain, plain.services["web"]), REPORTED, states)
    assert (found.can, found.to_pull) == (("h1",), ("h1",))
    arm = {**REPORTED, "TaskTemplate": {"Placement": {"Platforms": [{"Architecture": "arm64", "OS": "linux"}]}}}
    found = candidates(plain, plain.services["web"], wanted_spec(plain, plain.services["web"]), arm, states)
    assert found.cannot["h1"] == ("the image is for linux/arm64, and the node is linux/amd64",)

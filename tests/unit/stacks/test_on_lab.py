"""Advice and errors that depend on the nodes and on what the Swarm has."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.stacks import Stack, load_stack
from clusterlab.stacks.advice.on_lab import NodeFacts, advise_on_lab, paths_of
from clusterlab.stacks.at_plan import Existing, ExistingService, refused_at_plan
from clusterlab.stacks.constraints import Node, parse_constraint
from clusterlab.stacks.given import Content
from clusterlab.stacks.service_rules import PublishedPort

MANAGER = Node("id1", "host1", "192.168.98.11", "manager", labels={"zone": "a", "Case": "x"})
WORKER = Node("id2", "host2", "192.168.98.12", labels={"zone": "B"}, engine_labels={"storage": "ssd"})
NODES = [NodeFacts(MANAGER, paths=frozenset({"/srv/host1", "/data"})), NodeFacts(WORKER, paths=frozenset({"/data"}))]


def stack(folder: Path, text: str) -> Stack:
    (folder / "stack.yml").write_text(text)
    (folder / "conf.txt").write_text("new")
    return load_stack([str(folder / "stack.yml")], "st", {"HOME": "/home/lab"}).valid()


@pytest.mark.parametrize(
    ("constraint", "hosts"),
    [
        ("node.role == manager", ["host1"]),
        ("node.role!=Manager", ["host2"]),
        ("node.labels.zone == b", ["host2"]),
        ("node.labels.case == x", []),
        ("node.labels.Case == X", ["host1"]),
        ("node.labels.absent != x", ["host1", "host2"]),
        ("engine.labels.storage == SSD", ["host2"]),
        ("node.hostname == host1", ["host1"]),
        ("node.id == ID2", ["host2"]),
        ("node.ip == 192.168.98.12", ["host2"]),
        ("node.ip != 192.168.98.0/28", []),
        ("node.ip == nonsense", []),
        ("node.platform.os == linux", ["host1", "host2"]),
        ("node.platform.arch == amd64", []),
        ("zone != a", []),
    ],
)
def test_constraints(constraint: str, hosts: list[str]) -> None:
    found = parse_constraint(constraint)
    assert [node.hostname for node in (MANAGER, WORKER) if found.matches(node)] == hosts


@pytest.mark.parametrize(
    ("service", "keys"),
    [
        ("deploy: {placement: {constraints: [node.labels.zone == c]}}", ["constraint-unmatched"]),
        ("deploy: {placement: {constraints: [node.labels.zone == a]}}", []),
        ("volumes: ['/data:/data', '/gone:/gone']", ["bind-source-missing:/gone"]),
        ("volumes: ['/srv/{{.Node.Hostname}}:/srv']", ["bind-source-missing:/srv/{{.Node.Hostname}}"]),
        ("volumes: ['~/x:/x', './y:/y']", ["bind-source-missing:~/x", "bind-source-missing:./y"]),
        ("volumes: ['device:/x']", ["bind-source-missing:/dev/gone"]),
        ("volumes: ['/srv/host1:/x']", ["bind-source-missing:/srv/host1"]),
        ("volumes: ['/srv/host1:/x']\n    deploy: {placement: {constraints: [node.role == manager]}}", []),
        ("deploy: {replicas: 3, placement: {max_replicas_per_node: 1}}", ["replicas-do-not-fit"]),
        ("deploy: {replicas: 2, placement: {max_replicas_per_node: 1}}", []),
        (
            "deploy: {resources: {reservations: {generic_resources: [discrete_resource_spec: {kind: gpu, value: 1}]}}}",
            ["resource-unmatched"],
        ),
        ("deploy: {resources: {reservations: {memory: 3000G}}}", ["resource-unmatched"]),
        ("deploy: {resources: {reservations: {cpus: '3'}}}", ["resource-unmatched"]),
        ("deploy: {resources: {reservations: {cpus: '2', memory: 1G}}}", []),
        ("volumes: ['plugin:/x']", ["plugin-missing"]),
        ("logging: {driver: example/logs}", ["plugin-missing"]),
        ("logging: {driver: syslog}", []),
    ],
)
def test_advice(service: str, keys: list[str], tmp_path: Path) -> None:
    found = stack(
        tmp_path,
        f"services:\n  api:\n    image: one:1\n    {service}\n"
        "volumes: {plugin: {driver: example/disks}, device: {driver_opts: {type: none, o: bind, device: /dev/gone}}}\n",
    )
    assert [advice.key for advice in advise_on_lab(found, NODES)] == keys
    assert advise_on_lab(found, NODES, [key.partition(":")[0] for key in keys]) == []


def test_paths_to_look_for(tmp_path: Path) -> None:
    found = stack(tmp_path, "services: {api: {image: 'one:1', volumes: ['/a/{{.Node.Hostname}}:/a', 'C:\\x:C:\\y']}}\n")
    assert paths_of(found, WORKER) == {"/a/host2"}


STACK = """\
services:
  api:
    image: one:1
    networks: [wide, machine]
    configs: [conf, theirs]
    secrets: [key]
    ports: ["80:80", {target: 90, published: 90, mode: host}]
    volumes: [{type: volume, source: data, target: /data, volume: {subpath: a}}]
networks: {wide: {external: true}, machine: {external: true, name: host}, unused: {external: true}}
configs: {conf: {file: conf.txt}, theirs: {external: true}, unused: {external: true}}
secrets: {key: {external: true}}
volumes: {data: }
"""
FINE = Existing(
    networks={"wide": "swarm"},
    configs={"theirs": None, "st_conf": Content(b"new")},
    secrets={"key": None},
    services={
        "st_api": ExistingService("replicated", frozenset({PublishedPort(80, "tcp", "ingress")})),
        "other": ExistingService(
            "global", frozenset({PublishedPort(90, "tcp", "host"), PublishedPort(80, "udp", "host")})
        ),
    },
    oldest_engine=(26, 1),
)


def refused(folder: Path, existing: Existing) -> list[str]:
    return [f"{problem.line}: {problem.message}" for problem in refused_at_plan(stack(folder, STACK), existing)]


def test_nothing_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, FINE) == []


def test_everything_is_refused(tmp_path: Path) -> None:
    taken = frozenset({PublishedPort(80, "tcp", "host"), PublishedPort(90, "tcp", "ingress")})
    existing = Existing(
        networks={"wide": "local"},
        configs={"st_conf": Content(b"old")},
        services={"st_api": ExistingService("global"), "other": ExistingService("replicated", taken)},
        oldest_engine=(25, 0),
    )
    assert refused(tmp_path, existing) == [
        "9: networks.wide: the external network 'wide' is of scope local, not of the Swarm",
        "10: the config 'st_conf' (configs.conf) exists with other content, which cannot change",
        "10: the external config 'theirs' (configs.theirs) does not exist",
        "11: the external secret 'key' (secrets.key) does not exist",
        "2: services.api: the service exists with mode global, which cannot become replicated",
        "7: services.api: 80 is published by the service other",
        "7: services.api: 90 is published by the service other",
        "8: services.api: an engine 25.0 mounts the whole volume instead of a",
    ]


def test_a_missing_network(tmp_path: Path) -> None:
    existing = Existing(configs=FINE.configs, secrets=FINE.secrets)
    assert refused(tmp_path, existing) == ["9: networks.wide: the external network 'wide' does not exist"]

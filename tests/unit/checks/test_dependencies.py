"""What a check depends on: before it begins, and while it waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clusterlab.checks.dependencies import Dependencies, dependencies
from clusterlab.checks.places import Places
from clusterlab.checks.preconditions import (
    EngineAnswers,
    HostReachable,
    InSwarm,
    ManagerAnswers,
    NfsServerAnswers,
    NodeAvailable,
    Precondition,
    ServiceRuns,
)
from clusterlab.checks.subjects import subjects
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.remote import Hosts

from .demo import APP, LAB, MANAGERS, NODE, WEB

NFS = {"type": "nfs", "o": "addr=192.168.98.1,rw", "device": ":/shares"}
AWAY = {"constraints": ["node.hostname == host1"]}


def needs(check: dict[str, Any]) -> Dependencies:
    play = Play.model_validate(
        {
            "title": "t",
            "volumes": {"share": {"driver_opts": NFS}, "local": {}},
            "networks": {"mesh": {"driver": "overlay", "attachable": True}},
            "containers": {
                "web": {"host": "host1", "image": "web"},
                "app": {"host": "host2", "image": "shell", "volumes": ["share:/data"], "networks": ["mesh"]},
                "heir": {"host": "host2", "image": "shell", "volumes_from": ["app"]},
            },
            "services": {
                "api": {"image": "web"},
                "near": {"image": "web", "deploy": {"placement": AWAY}},
                "filed": {"image": "web", "volumes": ["share:/data"]},
            },
            "checks": [{"title": "x", **check}],
        }
    )
    lab = Lab(LAB.inventory, {"p": play}, Path())
    (only,) = play.checks
    return dependencies(only, lab, play, subjects(only, Places(lab, play, Hosts({}))))


@pytest.mark.parametrize(
    ("check", "before", "more"),
    [
        ({"command": {"on": "host2", "run": "id"}}, [HostReachable("host2")], []),
        ({"command": {"in": "web", "run": "id"}}, [WEB], []),
        ({"command": {"in": "app", "run": "id"}}, [APP], [InSwarm("host2"), NfsServerAnswers("gw")]),
        ({"ping": {"in": "web", "to": "app"}}, [WEB], [InSwarm("host2"), NfsServerAnswers("gw"), APP]),
        ({"inspect": {"container": "web", "path": "State.Running", "value": True}}, [EngineAnswers("host1")], []),
        ({"http": {"on": "gw", "url": "http://host1/"}}, [HostReachable("gw")], [EngineAnswers("host1")]),
        ({"inspect": {"engine": True, "on": "host2", "path": "Driver", "value": "x"}}, [EngineAnswers("host2")], []),
        (
            {"inspect": {"tasks": "near", "path": "*.Node", "value": ["host1"]}},
            [ManagerAnswers(MANAGERS)],
            [NodeAvailable("host1", "192.168.98.11", MANAGERS, "demo")],
        ),
        ({"steps": [{"do": {"start": "web"}}, {"command": {"in": "web", "run": "id"}}]}, [EngineAnswers("host1")], []),
        (
            {"steps": [{"command": {"on": "host1", "run": "x"}}, {"command": {"in": "web", "run": "id"}}]},
            [HostReachable("host1"), EngineAnswers("host1")],
            [],
        ),
    ],
)
def test_what_a_check_depends_on(check: dict[str, Any], before: list[Precondition], more: list[Precondition]) -> None:
    found = needs(check)
    assert list(found.before) == before
    assert [one for one in found.during if one not in before] == more


SERVER = NfsServerAnswers("gw")
ON_SERVER = {"command": {"on": "gw", "run": "ls /shares"}}
ONE_OFF = {"on": "host1", "image": "shell", "command": ["true"]}


@pytest.mark.parametrize(
    "check",
    [
        {"run": {**ONE_OFF, "volumes": ["share:/data"]}},
        {"run": {**ONE_OFF, "on": "host2", "volumes_from": ["app"]}},
        {"run": {**ONE_OFF, "on": "host2", "volumes_from": ["heir"]}},
        {"steps": [ON_SERVER, {"run": {**ONE_OFF, "volumes": ["share:/data"]}}]},
        {"command": {"in": "app", "run": ["df", "/data"]}},
        {"command": {"in": ["web", "heir"], "run": "cd /data/below && ls"}},
        {"file": {"in": "app", "path": "/data/x"}},
        {"shared_file": {"in": ["app", "heir"], "path": "/data/x"}},
        {"steps": [{"do": {"recreate": "app"}}, ON_SERVER]},
        {"steps": [{"do": {"restart": "heir"}}, ON_SERVER]},
        {"steps": [{"do": {"scale": {"service": "filed", "replicas": 2}}}, ON_SERVER]},
        {"steps": [{"do": {"drain": "host2"}}, ON_SERVER]},
    ],
)
def test_what_would_wait_for_a_dead_nfs_server_is_not_begun(check: dict[str, Any]) -> None:
    assert SERVER in needs(check).before


@pytest.mark.parametrize(
    "check",
    [
        {"run": ONE_OFF},
        {"run": {**ONE_OFF, "volumes": ["local:/data"]}},
        {"command": {"in": "app", "run": "ls /database /other/data"}},
        {"command": {"in": "web", "run": "ls /data"}},
        {"file": {"in": "app", "path": "/etc/passwd"}},
        {"mount": {"in": "app", "path": "/data", "type": "nfs4"}},
        {"inspect": {"volume": "share", "path": "Options.type", "value": "nfs"}},
        {"steps": [{"do": {"recreate": "web"}}, ON_SERVER]},
        {"steps": [{"do": {"scale": {"service": "api", "replicas": 2}}}, ON_SERVER]},
    ],
)
def test_what_reads_nothing_of_an_nfs_server_is_proven_without_it(check: dict[str, Any]) -> None:
    assert SERVER not in needs(check).before


def test_a_check_that_drains_does_not_depend_on_nodes_that_take_tasks() -> None:
    steps = [{"do": {"drain": "host2"}}, {"inspect": {"tasks": "api", "path": "*.Node", "value": ["host1"]}}]
    found = needs({"steps": steps})
    assert not [one for one in found.during if isinstance(one, NodeAvailable | ServiceRuns)]
    assert found.before == (
        ManagerAnswers(MANAGERS),
        NodeAvailable("host1", "192.168.98.11", MANAGERS, "demo"),
        NODE,
        SERVER,
    )

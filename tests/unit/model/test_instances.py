"""Containers on several hosts: one on each, and what names one or all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.checks.kinds.ping import KIND as PING
from clusterlab.checks.manual.where import Where
from clusterlab.model import InvalidFiles, Lab, load_lab
from clusterlab.model.playbook import Play

INVENTORY = """\
lab: several
hosts:
  gw: {address: 192.168.98.1}
  a: {address: 192.168.98.11, roles: [docker, swarm_manager]}
  b: {address: 192.168.98.12, roles: [docker, swarm_worker]}
  c: {address: 192.168.98.13, roles: [docker]}
images: {shell: {build: busybox}}
"""

PLAY = """\
title: A play
networks:
  net: {driver: overlay, attachable: true}
containers:
  probe: {hosts: active_node, image: shell, networks: [net]}
  near: {hosts: [a, c], image: shell}
  user: {hosts: [a, c], image: shell, volumes_from: ["near:ro"]}
  alone: {host: b, image: shell, networks: [net]}
checks:
"""


def load(checks: list[dict[str, Any]], folder: Path, play: str = PLAY) -> Play:
    (folder / "playbooks").mkdir(exist_ok=True)
    (folder / "playbooks" / "play.yml").write_text(play + yaml.safe_dump(checks, sort_keys=False))
    (folder / "inventory.yml").write_text(INVENTORY)
    return lab_in(folder).plays["play"]


def lab_in(folder: Path) -> Lab:
    return load_lab(folder / "inventory.yml", [], folder / "playbooks")


def probe_of(kind: str, probe: dict[str, Any], folder: Path) -> Any:
    return load([{"title": "a statement", kind: probe}], folder).checks[0].probe


def test_there_is_one_on_each_host(tmp_path: Path) -> None:
    play = load([{"title": "x", "ping": {"in": "alone", "to": "a"}}], tmp_path)
    assert {name: one.host for name, one in play.containers.items()} == {
        "probe-a": "a",
        "probe-b": "b",
        "near-a": "a",
        "near-c": "c",
        "user-a": "a",
        "user-c": "c",
        "alone": "b",
    }
    assert not any(one.hosts for one in play.containers.values())
    assert play.instances["probe"] == {"a": "probe-a", "b": "probe-b"}


def test_volumes_are_taken_from_the_one_on_the_same_host(tmp_path: Path) -> None:
    play = load([{"title": "x", "ping": {"in": "alone", "to": "a"}}], tmp_path)
    assert play.containers["user-c"].volumes_from == ["near-c:ro"]


def test_the_plain_name_means_all_and_at_a_host_one(tmp_path: Path) -> None:
    assert probe_of("ping", {"in": ["probe", "alone"], "to": "a"}, tmp_path).in_ == ["probe-a", "probe-b", "alone"]
    assert probe_of("ping", {"in": "probe@b", "to": "probe@a"}, tmp_path).in_ == ["probe-b"]
    assert probe_of("ping", {"in": "probe@b", "to": "probe@a"}, tmp_path).to == "probe-a"
    assert probe_of("ping", {"in": "alone", "to": ["probe", "a"]}, tmp_path).to == ["probe-a", "probe-b", "a"]
    addresses = probe_of("ping", {"in": "alone", "to": {"container": "probe", "network": "net"}}, tmp_path).to
    assert [one.container for one in addresses] == ["probe-a", "probe-b"]


def test_a_control_names_them_too(tmp_path: Path) -> None:
    control = {"in": "probe"}
    probe = probe_of("ping", {"on": "gw", "to": "probe@a", "reachable": False, "control": control}, tmp_path)
    assert probe.control.in_ == ["probe-a", "probe-b"]


def test_an_action_is_done_to_each(tmp_path: Path) -> None:
    steps: list[dict[str, Any]] = [
        {"do": {"stop": "probe"}},
        {"do": {"disconnect": {"container": "probe@b", "network": "net"}}},
        {"ping": {"in": "alone", "to": "a"}},
    ]
    check = load([{"title": "x", "steps": steps}], tmp_path).checks[0]
    assert [step.do.container for step in check.steps if step.do] == ["probe-a", "probe-b", "probe-b"]


def test_every_pair_is_asked_but_no_place_asks_itself(tmp_path: Path) -> None:
    load([{"title": "x", "ping": {"in": "probe", "to": ["probe", "alone"]}}], tmp_path)
    lab = lab_in(tmp_path)
    probe = lab.plays["play"].checks[0].probe
    lines = [line.command for line in PING.manual(probe, Where(lab, "play", {}))]  # type: ignore[arg-type]
    assert [(line.split()[2], line.split()[-1]) for line in lines] == [
        ("probe-b", "probe-a"),
        ("probe-a", "probe-b"),
        ("probe-a", "alone"),
        ("probe-b", "alone"),
    ]


def test_what_is_alone_has_nobody_to_reach(tmp_path: Path) -> None:
    play = PLAY.replace("{hosts: active_node,", "{hosts: [b],")
    pings: list[dict[str, Any]] = [
        {"title": "among themselves", "ping": {"in": "probe", "to": "probe"}},
        {"title": "from somewhere else", "ping": {"in": "alone", "to": "probe"}},
        {"title": "hosts", "steps": [{"ping": {"on": "gw", "to": ["gw"]}}]},
    ]
    checks = load(pings, tmp_path, play).checks
    nobody = "the inventory has only one of the places that are to reach each other"
    assert [check.lacks for check in checks] == [nobody, "", nobody]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"probe": {"hosts": "a", "host": "a", "image": "shell"}}, "5:10: containers.probe: a container has a host or"),
        ({"probe": {"image": "shell"}}, "a container has a host or hosts, and has neither"),
        ({"probe": {"hosts": ["a", "x"], "image": "shell"}}, "containers.probe.hosts: unknown host 'x'"),
        (
            {"probe": {"hosts": "a", "image": "shell"}, "probe-a": {"host": "b", "image": "shell"}},
            "called 'probe-a', as",
        ),
        ({"gw": {"hosts": "a", "image": "shell"}}, "'gw' is already a host of this lab"),
        ({"probe": {"hosts": ["a", "gw"], "image": "shell"}}, "containers.probe.hosts: 'gw' is not a Docker host"),
    ],
)
def test_mistakes_in_containers(changed: dict[str, Any], message: str, tmp_path: Path) -> None:
    text = "title: A play\nchecks:\n  - {title: x, command: {on: a, run: hostname}}\ncontainers:\n"
    containers = "".join(f"  {name}: {yaml.safe_dump(one, default_flow_style=True)}" for name, one in changed.items())
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "play.yml").write_text(text + containers)
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    with pytest.raises(InvalidFiles) as caught:
        lab_in(tmp_path)
    assert message in str(caught.value)
    assert "play.yml:5:" in str(caught.value)


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        ({"ping": {"in": "probe@c", "to": "a"}}, "there is no 'probe@c'"),
        ({"inspect": {"container": "probe", "path": "Id", "value": "x"}}, "'probe'"),
        ({"ping": {"in": "alone", "to": {"container": "near", "network": "net"}}}, "is not on a network 'net'"),
        ({"ping": {"in": "alone", "to": []}}, "an empty list for 'to' selects nothing"),
        ({"ping": {"in": "alone", "to": ["a", "a"]}}, "'a' appears twice"),
    ],
)
def test_mistakes_in_checks(probe: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidFiles) as caught:
        load([{"title": "x", **probe}], tmp_path)
    assert message in str(caught.value)

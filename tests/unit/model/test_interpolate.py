"""`${...}`: what it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clusterlab.model.interpolate import Names, Reading, interpolate
from clusterlab.model.source import Document, read

INVENTORY = """\
lab: demo
version: 1.10
count: 3
flag: True
subnet: "${net.base}.0/24"
net: {base: "10.0.${count}"}
list: [a, {b: c}]
literal: "$${HOME}"
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Document:
    file = tmp_path / "inventory.yml"
    file.write_text(INVENTORY)
    return read(file)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("${lab}", "demo"),
        ("${count}", 3),
        ("x${count}", "x3"),
        ("${version}", 1.1),
        ("v${version}", "v1.10"),
        ("${flag}", True),
        ("is ${flag}", "is True"),
        ("${lab}-${count}", "demo-3"),
        ("${subnet}", "10.0.3.0/24"),
        ("${list.0}${list.1.b}", "ac"),
        ("${default.x}", 5),
        ("$${lab}", "${lab}"),
        ("$$${lab}", "$${lab}"),
        ("$${lab} ${lab}", "${lab} demo"),
        ("${literal}", "${HOME}"),
        ("<${literal}>", "<${HOME}>"),
        ("$HOME $$ $(id) $", "$HOME $$ $(id) $"),
    ],
)
def test_values(text: str, value: Any, inventory: Document) -> None:
    play = Document("play.yml", {"key": [text]})
    reading = interpolate(play, Names(inventory, {"default": {"x": 5}}))
    resolved = reading.document
    assert not reading.problems
    assert not reading.unresolved
    assert resolved.value == {"key": [value]}
    assert type(resolved.value["key"][0]) is type(value)


def test_inventory_refers_to_itself(inventory: Document) -> None:
    reading = interpolate(inventory, Names(inventory, {}))
    resolved = reading.document
    assert not reading.problems
    assert resolved.value["subnet"] == "10.0.3.0/24"
    assert resolved.value["literal"] == "${HOME}"


HOSTS = """\
lab: demo
hosts:
  nas: {address: 10.0.0.1, roles: [nfs_server, iscsi_target]}
  a: {address: 10.0.0.11, roles: [docker, swarm_manager], availability: drain}
  b: {address: "10.0.0.${last}", roles: [docker, swarm_worker]}
  c: {address: 10.0.0.13, roles: [docker]}
last: 12
iscsi: {luns: [{name: disk1, host: b}]}
nfs: {exports: [{path: /one}, {path: /two}]}
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${docker.first}", "a"),
        ("${docker.last}", "c"),
        ("${docker.second.address}", "10.0.0.12"),
        ("http://${docker.second.address}/", "http://10.0.0.12/"),
        ("${nfs_server.first}", "nas"),
        ("${all.first}", "nas"),
        ("${active_node.first}", "b"),
        ("${without_lun.second}", "c"),
        ("${docker.count}", 3),
        ("of ${docker.count}", "of 3"),
        ("${docker}", ["a", "b", "c"]),
        ("in ${docker}; do", "in a b c; do"),
        ("${docker.address}", ["10.0.0.11", "10.0.0.12", "10.0.0.13"]),
        ("${nfs.exports.second.path}", "/two"),
        ("${nfs.exports.count}", 2),
        ("${iscsi.luns.last.host}", "b"),
    ],
)
def test_positions(text: str, value: Any, tmp_path: Path) -> None:
    reading = _read_with(text, HOSTS, tmp_path)
    assert not reading.problems
    assert not reading.lacking
    assert reading.document.value == {"key": [value]}


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("${docker.fourth}", "docker.fourth", "the inventory has no fourth host with the role docker"),
        ("http://${nfs_server.second.address}/", "http://nfs_server.second.address/", "has no second host with"),
        ("${active_node.second}", "active_node.second", "no second node of the Swarm that may run tasks"),
        ("${iscsi.luns.second.name}", "iscsi.luns.second.name", "the inventory has no second item in iscsi.luns"),
    ],
)
def test_too_few(text: str, value: str, reason: str, tmp_path: Path) -> None:
    reading = _read_with(text, HOSTS, tmp_path)
    assert not reading.problems
    assert reading.document.value == {"key": [value]}
    assert reason in reading.lacking["key", 0]


def test_an_inventory_without_any_of_a_group_has_no_first_one(tmp_path: Path) -> None:
    reading = _read_with("${docker.first}", "lab: demo\nhosts: {gw: {address: 10.0.0.1}}\n", tmp_path)
    assert reading.lacking == {("key", 0): "the inventory has no host with the role docker"}


def test_what_an_inventory_lacks_itself_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "inventory.yml"
    file.write_text('lab: "${docker.first}"\nhosts: {gw: {address: 10.0.0.1}}\n')
    document = read(file)
    reading = interpolate(document, Names(document, {}))
    assert [problem.message for problem in reading.problems] == [
        "'${docker.first}': the inventory has no host with the role docker"
    ]


def _read_with(text: str, inventory: str, folder: Path) -> Reading:
    file = folder / "inventory.yml"
    file.write_text(inventory)
    return interpolate(Document("play.yml", {"key": [text]}), Names(read(file), {}))

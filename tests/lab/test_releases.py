"""Virtual machines of three Debian releases in one lab, each with its own kernel and engine: core plays and a stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.conftest import LAB, ROOT, Program, program_on

ENGINES = {"host1": ("trixie", "26.1."), "host2": ("bookworm", "20.10."), "host3": ("forky", "28.")}
PLAYS = ["volumes/nfs", "networks/host", "networks/overlay"]
STACK = str(Path(__file__).parent / "releases" / "stack.yml")
"""Its volume is on gw: see the addresses below."""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program on a lab that is up, with a host more than the default one."""
    folder = tmp_path_factory.mktemp("releases")
    inventory = yaml.safe_load((ROOT / "inventory/default.yml").read_text().replace("192.168.98.", "192.168.92."))
    inventory["lab"] = f"{LAB}-releases"
    inventory.pop("iscsi")
    hosts = inventory["hosts"]
    hosts["gw"]["roles"] = ["nfs_server"]
    hosts["host3"] = {"address": "192.168.92.13", "roles": ["docker", "swarm_worker"]}
    for name, (release, _) in ENGINES.items():
        hosts[name]["release"] = release
    file = folder / "inventory.yml"
    file.write_text(yaml.safe_dump(inventory, sort_keys=False))
    program = program_on(file)
    program("down")
    try:
        program("up")
        yield program
    finally:
        program("down")


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_each_machine_has_the_engine_of_its_release(mixed: Program) -> None:
    for host, (release, engine) in ENGINES.items():
        assert f"VERSION_CODENAME={release}\n" in mixed("ssh", host, "--", "cat /etc/os-release").stdout
        version = mixed("ssh", host, "--", "docker version --format '{{.Server.Version}}'").stdout
        assert version.startswith(engine)


def test_core_plays_and_a_stack_are_proven_across_them(mixed: Program, tmp_path: Path) -> None:
    mixed("run", *PLAYS, STACK, "--json", str(tmp_path / "run.json"))
    document = read(tmp_path / "run.json")
    assert document["outcome"] == "pass"
    assert {result["play"] for result in document["results"]} > set(PLAYS)
    assert {result["outcome"] for result in document["results"]} == {"pass"}
    nodes = mixed(
        "ssh", "host1", "--", "docker service ps --filter desired-state=running --format '{{.Node}}' releases_web"
    )
    assert sorted(nodes.stdout.split()) == sorted(ENGINES)


def test_a_second_apply_changes_nothing(mixed: Program, tmp_path: Path) -> None:
    mixed("apply", *PLAYS, STACK, "--json", str(tmp_path / "apply.json"))
    assert read(tmp_path / "apply.json")["done"] == []

"""A kind of machines from another package: an entry point, and everything that takes an inventory knows it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.packages import Installed, install

INVENTORY = """\
lab: loopback-{name}
machines: loopback
loopback: {{log_level: VERBOSE}}
hosts:
  host1: {{address: 192.168.98.11, roles: [docker]}}
  host2: {{address: 192.168.98.12}}
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    return install("machines", tmp_path_factory.mktemp("package"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inventory.yml").write_text(INVENTORY.format(name=os.getpid()))
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "empty.yml").write_text("title: one volume\nvolumes: {kept: {hosts: [host1]}}\n")
    return tmp_path


@pytest.fixture
def lab(package: Installed, folder: Path) -> Iterator[Path]:
    """A folder whose lab is up, and down after the test."""
    state = str(folder / "state")
    done = package.run("up", "-i", "inventory.yml", cwd=folder, XDG_STATE_HOME=state)
    try:
        assert done.returncode == 0, done.stderr
        yield folder
    finally:
        package.run("down", "-i", "inventory.yml", cwd=folder, XDG_STATE_HOME=state)


def test_an_inventory_of_that_kind_is_valid(package: Installed, folder: Path) -> None:
    done = package.run("validate", "-i", "inventory.yml", cwd=folder)
    assert done.returncode == 0, done.stderr


def test_its_section_is_validated_with_places(package: Installed, folder: Path) -> None:
    file = folder / "inventory.yml"
    file.write_text(file.read_text().replace("VERBOSE", "LOUD"))
    done = package.run("validate", "-i", "inventory.yml", cwd=folder)
    assert done.returncode == 2
    assert "inventory.yml:3:23: loopback.log_level: must be INFO, VERBOSE or DEBUG, not 'LOUD'" in done.stderr


def test_keys_without_effect_are_reported(package: Installed, folder: Path) -> None:
    with (folder / "inventory.yml").open("a") as file:
        file.write("qemu: {memory: 1G}\n")
    done = package.run("validate", "-i", "inventory.yml", cwd=folder)
    assert done.returncode == 2
    assert "qemu: 'qemu' has no effect on loopback machines" in done.stderr


def test_without_the_package_the_kind_is_unknown(folder: Path, tmp_path: Path) -> None:
    done = Installed(tmp_path / "none").run("validate", "-i", "inventory.yml", cwd=folder)
    assert done.returncode == 2
    assert "machines: must be qemu, namespaces, vagrant or existing, not 'loopback'" in done.stderr


def test_the_schema_has_its_name_and_its_section(package: Installed, folder: Path) -> None:
    done = package.run("schema", cwd=folder)
    inventory = json.loads(done.stdout)["$defs"]["Inventory"]["properties"]
    assert "loopback" in inventory["machines"]["anyOf"][0]["enum"]
    assert inventory["loopback"]["$ref"] == "#/$defs/LoopbackSettings"


def test_its_machines_come_up_answer_and_go_away(package: Installed, lab: Path) -> None:
    state = str(lab / "state")

    def states() -> dict[str, str]:
        done = package.run("status", "-i", "inventory.yml", "--json=-", cwd=lab, XDG_STATE_HOME=state)
        assert done.returncode == 0, done.stderr
        return {one["host"]: one["state"] for one in json.loads(done.stdout)["hosts"]}

    assert states() == {"host1": "running", "host2": "running"}
    done = package.run("ssh", "host2", "--command", "echo here", "-i", "inventory.yml", cwd=lab, XDG_STATE_HOME=state)
    assert (done.returncode, done.stdout) == (0, "here\n"), done.stderr
    down = package.run("down", "-i", "inventory.yml", cwd=lab, XDG_STATE_HOME=state)
    assert down.returncode == 0, down.stderr
    assert "its servers have ended" in down.stderr
    assert states() == {"host1": "absent", "host2": "absent"}


def test_what_it_cannot_do_is_said(package: Installed, lab: Path) -> None:
    done = package.run("snapshot", "warm", "-i", "inventory.yml", cwd=lab, XDG_STATE_HOME=str(lab / "state"))
    assert done.returncode == 2
    assert "loopback machines have no snapshots" in done.stderr
    assert "Machines that have them: qemu." in done.stderr

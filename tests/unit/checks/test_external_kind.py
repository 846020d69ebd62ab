"""A kind of check that another package adds is validated, described and explained like this package's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "examples" / "checks" / "uptime"
INVENTORY = "lab: plain\nmachines: existing\nhosts: {host1: {address: 192.0.2.1, roles: [docker]}}\n"
PLAY = "title: A kind of another package\nchecks:\n  - title: host1 was started a while ago\n    uptime: {on: host1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    (tmp_path / "playbooks").mkdir()
    return tmp_path


def clusterlab(folder: Path, *words: str, installed: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE) if installed else ""}
    argv = [sys.executable, "-m", "clusterlab", *words]
    return subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


def play(folder: Path, rest: str) -> None:
    (folder / "playbooks" / "up.yml").write_text(f"{PLAY}{rest}\n")


def test_it_is_valid_where_the_package_is_installed(folder: Path) -> None:
    play(folder, ", at_least: 10m}")
    ended = clusterlab(folder, "validate", "-i", "inventory.yml")
    assert (ended.returncode, ended.stderr) == (0, "")
    ended = clusterlab(folder, "validate", "-i", "inventory.yml", installed=False)
    assert ended.returncode == 2
    assert "playbooks/up.yml:4:5: checks[0]: unknown key 'uptime'" in ended.stderr


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("}", "playbooks/up.yml:4:13: checks[0].uptime: this asserts nothing"),
        (", at_lest: 3s}", "playbooks/up.yml:4:25: checks[0].uptime: unknown key 'at_lest'"),
        (", at_most: soon}", "playbooks/up.yml:4:34: checks[0].uptime.at_most: 'soon' is not a duration"),
        (", in: web, at_most: 3s}", "playbooks/up.yml:4:29: checks[0].uptime.in: this play has no container 'web'"),
    ],
)
def test_its_errors_name_file_line_and_column(folder: Path, rest: str, message: str) -> None:
    play(folder, rest)
    ended = clusterlab(folder, "validate", "-i", "inventory.yml")
    assert ended.returncode == 2
    assert message in ended.stderr


def test_a_check_without_a_kind_is_told_of_it(folder: Path) -> None:
    (folder / "playbooks" / "up.yml").write_text("title: t\nchecks:\n  - title: nothing\n")
    ended = clusterlab(folder, "validate", "-i", "inventory.yml")
    assert "bind_source, task_file and uptime." in " ".join(ended.stderr.split())


def test_it_is_in_the_schema(folder: Path) -> None:
    definitions = json.loads(clusterlab(folder, "schema").stdout)["$defs"]
    assert definitions["UptimeProbe"]["properties"]["at_least"]["examples"] == ["10m"]
    for name in ("Check", "Step"):
        assert {"$ref": "#/$defs/UptimeProbe"} in definitions[name]["properties"]["uptime"]["anyOf"]
    definitions = json.loads(clusterlab(folder, "schema", installed=False).stdout)["$defs"]
    assert "UptimeProbe" not in definitions


def test_it_is_explained(folder: Path) -> None:
    play(folder, ", at_least: 10m}")
    ended = clusterlab(folder, "explain", "up", "-i", "inventory.yml")
    assert ended.returncode == 0, ended.stderr
    assert "cut '-d ' -f1 /proc/uptime" in ended.stdout
    assert "→ up for at least 600 s" in ended.stdout

"""The main job as a person does it: the program itself, on the default lab's hosts and all plays."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.lab.conftest import Program

PLAYS = ["volumes/nfs", "networks/host", "networks/overlay"]


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def proves_every_statement(clusterlab: Program, folder: Path, plays: list[str]) -> None:
    clusterlab("run", *plays, "--json", str(folder / "run.json"), "--junit", str(folder / "run.xml"))
    document = read(folder / "run.json")
    assert document["outcome"] == "pass"
    assert {result["outcome"] for result in document["results"]} == {"pass"}
    assert {result["play"] for result in document["results"]} >= set(plays or PLAYS)
    assert (folder / "run.xml").read_text().startswith("<?xml")


def test_run_proves_every_statement(clusterlab: Program, tmp_path: Path) -> None:
    proves_every_statement(clusterlab, tmp_path, PLAYS)


@pytest.mark.long
def test_run_proves_the_whole_course(clusterlab: Program, tmp_path: Path) -> None:
    proves_every_statement(clusterlab, tmp_path, [])


def test_a_second_apply_changes_nothing_within_its_budget(clusterlab: Program, tmp_path: Path) -> None:
    """One connection, one command and six API requests per host, whatever the number of plays."""
    clusterlab("apply", *PLAYS, "--json", str(tmp_path / "apply.json"))
    document = read(tmp_path / "apply.json")
    assert document["done"] == []
    for host in ("host1", "host2"):
        counts = document["counts"][host]
        print(host, counts)
        assert counts["connections"] == 1
        assert counts["commands"] <= 1
        assert counts["requests"] <= 6


def test_a_second_provision_changes_nothing(clusterlab: Program, tmp_path: Path) -> None:
    clusterlab("provision", "--json", str(tmp_path / "provision.json"))
    assert read(tmp_path / "provision.json")["done"] == []


def test_ssh_passes_streams_and_exit_code(clusterlab: Program) -> None:
    done = clusterlab("ssh", "host2", "--", "echo out; echo err >&2; exit 7", code=7)
    assert (done.stdout, done.stderr.strip().splitlines()[-1]) == ("out\n", "err")


def test_openssh_reaches_the_machines(clusterlab: Program, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(clusterlab("ssh-config").stdout)
    done = subprocess.run(["ssh", "-F", str(config), "gw", "hostname"], capture_output=True, text=True, check=True)
    assert done.stdout == "gw\n"


def test_clean_leaves_nothing(clusterlab: Program) -> None:
    clusterlab("clean", "--delete-data")
    for kind, command in {
        "container": "docker ps -aq",
        "volume": "docker volume ls -q",
        "network": "docker network ls -q --filter type=custom --filter label=org.clusterlab.lab",
        "image": "docker images -q",
    }.items():
        for host in ("host1", "host2"):
            assert clusterlab("ssh", host, "--", command).stdout == "", f"{kind} left on {host}"

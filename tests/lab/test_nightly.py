"""Nightly runs on virtual machines, where NFS is real: its server is stopped in the middle of a check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.model import Lab
from clusterlab.remote import Hosts
from tests.support.nightly_lab import NightlyLab, existing_lab, outcomes, stages, under_way

EXPORTS = {"exports": [{"path": "/nightly", "clients": "*", "options": ["rw", "sync", "no_root_squash"]}]}
WRITING = "one writes and the other reads"
PLAY = {
    "title": "Two containers on one export",
    "volumes": {
        "share": {"driver_opts": {"type": "nfs", "o": "addr=${hosts.gw.address},rw,nfsvers=4.2", "device": ":/nightly"}}
    },
    "containers": {
        name: {"host": host, "image": "shell", "command": ["sleep", "infinity"], "volumes": ["share:/data"]}
        for name, host in (("writer", "host1"), ("reader", "host2"))
    },
    "checks": [
        {"title": "both hosts are there", "command": {"on": "docker", "run": "uname", "stdout": {"equals": "Linux"}}},
        {
            "title": WRITING,
            "steps": [
                {"command": {"on": "host1", "run": "sleep 10; echo now", "stdout": {"contains": "now"}}},
                {"shared_file": {"in": ["writer", "reader"], "path": "/data/file"}},
            ],
        },
    ],
}


@pytest.fixture
def nightly_lab(lab: Lab, machines: QemuMachines, tmp_path: Path) -> Iterator[NightlyLab]:
    """The machines taken as existing ones, so that what happens to them outlives a run, but not this test."""
    made = existing_lab(lab, machines, tmp_path, nfs=EXPORTS)
    made.patience = 600
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "share.yml").write_text(yaml.safe_dump(PLAY, sort_keys=False))
    yield made
    code, out, err = made.run("clean", "-i", "existing.yml", "--delete-data")
    assert code == 0, out + err


def test_an_nfs_server_that_stops_during_a_check(nightly_lab: NightlyLab, hosts: Hosts) -> None:
    code, run = nightly_lab.nightly()
    assert (code, run["outcome"]) == (0, "pass"), run
    file = nightly_lab.folder / "second.json"
    try:
        with nightly_lab.start("nightly", "-i", "existing.yml", "--deadline", "8m", "--json", str(file)) as process:
            under_way(nightly_lab, "check", number=2, within=300)
            hosts["gw"].run("systemctl stop nfs-server", check=True, timeout=120)
            out, err = process.communicate(timeout=600)
    finally:
        hosts["gw"].run("systemctl start nfs-server", check=True, timeout=120)
    # A server that was started again lets nobody open files at first: https://www.rfc-editor.org/rfc/rfc8881#section-8.4.2
    assert hosts["host1"].exec("writer", ["touch", "/data/again"], timeout=200).ok
    run = json.loads(file.read_text())
    assert (process.returncode, run["outcome"]) == (1, "fail"), out + err
    assert (outcomes(run)["both hosts are there"], outcomes(run)[WRITING]) == ("pass", "fail")
    # The server is found stopped, so another apply would start it.
    broken = {("share", WRITING), ("nightly", "a second apply changes nothing")}
    assert {tuple(one) for one in run["changes"]["newly_failing"]} == broken
    evidence = next(result for result in run["results"] if result["check"] == WRITING)["evidence"]
    assert any("did not end within" in item["found"] for item in evidence), evidence
    assert [stages(run)[name] for name in ("check", "collect", "write")] == ["done"] * 3

    code, run = nightly_lab.nightly("--keep", "never")
    assert code == 0, run
    assert {tuple(one) for one in run["changes"]["newly_passing"]} == broken

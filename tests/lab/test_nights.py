"""Nights on virtual machines, where NFS is real: its server is stopped in the middle of a check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.model import Lab
from clusterlab.remote import Hosts
from tests.support.night_lab import Nights, existing_nights, outcomes, stages, under_way

EXPORTS = {"exports": [{"path": "/nights", "clients": "*", "options": ["rw", "sync", "no_root_squash"]}]}
WRITING = "one writes and the other reads"
PLAY = {
    "title": "Two containers on one export",
    "volumes": {
        "share": {"driver_opts": {"type": "nfs", "o": "addr=${hosts.gw.address},rw,nfsvers=4.2", "device": ":/nights"}}
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
def nights(lab: Lab, machines: QemuMachines, tmp_path: Path) -> Iterator[Nights]:
    """The machines taken as existing ones, so that what happens to them outlives a night, but not this test."""
    made = existing_nights(lab, machines, tmp_path, nfs=EXPORTS)
    made.patience = 600
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "share.yml").write_text(yaml.safe_dump(PLAY, sort_keys=False))
    yield made
    code, out, err = made.run("clean", "-i", "existing.yml", "--delete-data")
    assert code == 0, out + err


def test_an_nfs_server_that_stops_during_a_check(nights: Nights, hosts: Hosts) -> None:
    code, night = nights.night()
    assert (code, night["outcome"]) == (0, "pass"), night
    file = nights.folder / "second.json"
    try:
        with nights.start("nightly", "-i", "existing.yml", "--deadline", "8m", "--json", str(file)) as process:
            under_way(nights, "check", number=2, within=300)
            hosts["gw"].run("systemctl stop nfs-server", check=True, timeout=120)
            out, err = process.communicate(timeout=600)
    finally:
        hosts["gw"].run("systemctl start nfs-server", check=True, timeout=120)
    # A server that was started again lets nobody open files at first: https://www.rfc-editor.org/rfc/rfc8881#section-8.4.2
    assert hosts["host1"].exec("writer", ["touch", "/data/again"], timeout=200).ok
    night = json.loads(file.read_text())
    assert (process.returncode, night["outcome"]) == (1, "fail"), out + err
    assert (outcomes(night)["both hosts are there"], outcomes(night)[WRITING]) == ("pass", "fail")
    # The server is found stopped, so another apply would start it.
    broken = {("share", WRITING), ("nightly", "a second apply changes nothing")}
    assert {tuple(one) for one in night["changes"]["newly_failing"]} == broken
    evidence = next(result for result in night["results"] if result["check"] == WRITING)["evidence"]
    assert any("did not end within" in item["found"] for item in evidence), evidence
    assert [stages(night)[name] for name in ("check", "collect", "write")] == ["done"] * 3

    code, night = nights.night("--keep", "never")
    assert code == 0, night
    assert {tuple(one) for one in night["changes"]["newly_passing"]} == broken

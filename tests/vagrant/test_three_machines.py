"""The lab of inventory/vagrant.yml, from nothing to nothing: `clusterlab run` on three machines, and bad luck."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml
from vagrant_lab import ROOT, VagrantLab, make_lab, read, virsh

PLAYS = ["volumes/nfs", "networks/host", "networks/overlay"]


@pytest.fixture(scope="module")
def lab(cleared: list[VagrantLab], tmp_path_factory: pytest.TempPathFactory) -> VagrantLab:
    wanted = yaml.safe_load((ROOT / "inventory/vagrant.yml").read_text())
    lab = make_lab(tmp_path_factory.mktemp("three"), "clusterlab-test-three", wanted)
    if lab.left():
        lab.clusterlab("down")
    cleared.append(lab)
    return lab


def test_run_proves_every_statement(lab: VagrantLab, tmp_path: Path) -> None:
    lab.clusterlab("run", *PLAYS, "--json", str(tmp_path / "run.json"))
    document = read(tmp_path / "run.json")
    print(document.get("stages"))
    assert {result["outcome"] for result in document["results"]} == {"pass"}
    assert {result["play"] for result in document["results"]} == set(PLAYS)
    assert lab.states(tmp_path) == dict.fromkeys(lab.hosts, "running")


def test_the_swarm_uses_the_lan(lab: VagrantLab) -> None:
    ask = "docker info -f '{{.Swarm.NodeAddr}} {{range .Swarm.RemoteManagers}}{{.Addr}}{{end}}'"
    assert lab.clusterlab("ssh", "host2", "--", ask).stdout == "192.168.96.12 192.168.96.11:2377\n"


def test_luns_have_a_disk_of_their_own(lab: VagrantLab) -> None:
    done = lab.clusterlab("ssh", "gw", "--", "findmnt -no SOURCE,FSTYPE /var/lib/clusterlab/luns; lsblk -dno NAME")
    assert done.stdout.split() == ["/dev/vdb", "ext4", "vda", "vdb"]


def test_a_machine_destroyed_behind_vagrants_back_is_made_anew(lab: VagrantLab, tmp_path: Path) -> None:
    kept, lost = lab.id("gw"), lab.id("host2")
    virsh("destroy", lab.domain("host2"))
    virsh("undefine", lab.domain("host2"))  # its disk is left
    assert lab.states(tmp_path) == {"gw": "running", "host1": "running", "host2": "absent"}
    said = lab.clusterlab("up").stderr
    assert f"the disk {lab.domain('host2')}.img was left from a machine that is gone: removed" in said
    assert lab.id("gw") == kept
    assert lab.id("host2") not in ("", lost)
    assert lab.clusterlab("ssh", "host2", "--", "hostname").stdout == "host2\n"


def test_an_interrupted_up_goes_on(lab: VagrantLab, tmp_path: Path) -> None:
    """A machine that was left half made is made anew by the next `up`; the others are left alone."""
    lab.vagrant("destroy", "-f", lab.machine("host2"))
    argv = [sys.executable, "-m", "clusterlab", "up", "-i", str(lab.inventory)]
    with subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE, text=True) as up:
        pause = threading.Event()
        while not lab.id("host2") and up.poll() is None:
            pause.wait(0.1)
        os.kill(up.pid, signal.SIGTERM)
        _, said = up.communicate(timeout=180)
    print(said)
    assert up.returncode == 3
    assert "interrupted" in said
    kept = lab.id("host1")
    again = lab.clusterlab("up").stderr
    assert lab.id("host1") == kept
    assert lab.states(tmp_path) == dict.fromkeys(lab.hosts, "running")
    assert len(again.splitlines()) < 30, "progress of a few lines, not of thousands"


def test_down_leaves_nothing(lab: VagrantLab, home: Path) -> None:
    lab.clusterlab("down")
    assert lab.left() == []
    lab.clusterlab("box", "--remove")
    assert list((home / "boxes").iterdir()) == []

"""One machine, created manually with `vagrant up`: clusterlab takes it over, and it has all the bad luck there is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from clusterlab.machines.state import LabState
from tests.support.vagrant_lab import ROOT, VagrantLab, make_lab, read, virsh


@pytest.fixture(scope="module")
def lab(cleared: list[VagrantLab], tmp_path_factory: pytest.TempPathFactory) -> VagrantLab:
    """Started manually, on the box that clusterlab builds."""
    wanted = {
        "machines": "vagrant",
        "network": {"subnet": "192.168.92.0/24"},
        "hosts": {"host1": {"address": "192.168.92.11", "roles": ["docker"]}},
    }
    lab = make_lab(tmp_path_factory.mktemp("one"), "clusterlab-test-one", wanted)
    if lab.left():
        lab.clusterlab("down")
    cleared.append(lab)
    lab.clusterlab("box")
    lab.vagrant("up")
    return lab


def test_provision_works_on_a_machine_created_manually(lab: VagrantLab, tmp_path: Path) -> None:
    made = lab.id("host1")
    lab.clusterlab("provision")
    lab.clusterlab("provision", "--json", str(tmp_path / "again.json"))
    assert read(tmp_path / "again.json")["done"] == []
    lab.clusterlab("up")
    assert lab.id("host1") == made, "it was made twice"


def test_status_and_ssh(lab: VagrantLab, tmp_path: Path) -> None:
    assert lab.states(tmp_path) == {"host1": "running"}
    done = lab.clusterlab("ssh", "host1", "--", "hostname; ip -4 -o addr show eth1; exit 7", code=7)
    assert done.stdout.startswith("host1\n")
    assert " 192.168.92.11/24 " in done.stdout


def test_another_host_key_is_refused(lab: VagrantLab) -> None:
    """What was taken over is checked strictly: by clusterlab itself, by its ssh, and when it goes on with `up`."""
    known = LabState(lab.name).host_folder("host1") / "known_hosts"
    good = known.read_text()
    name, kind, _ = good.split(maxsplit=2)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(known.with_name("other"))], check=True)
    other = known.with_name("other.pub").read_text().split()[1]
    known.write_text(f"{name} {kind} {other}\n")
    try:
        assert "host key" in lab.clusterlab("provision", code=3).stderr
        assert "verification failed" in lab.clusterlab("ssh", "host1", "--", "true", code=255).stderr
        assert "another host key than the one recorded" in lab.clusterlab("up", code=3).stderr
        assert lab.id("host1"), "a machine with another key was removed"
    finally:
        known.write_text(good)
    lab.clusterlab("ssh", "host1", "--", "true")


def test_collect(lab: VagrantLab, tmp_path: Path) -> None:
    lab.clusterlab("collect", "--to", str(tmp_path / "logs"))
    assert "dockerd" in (tmp_path / "logs/host1/docker.log").read_text()
    assert lab.domain("host1") in (tmp_path / "logs/host1/libvirt.xml").read_text()


@pytest.mark.long
def test_a_machine_destroyed_behind_vagrants_back_is_recreated(lab: VagrantLab, tmp_path: Path) -> None:
    lost = lab.id("host1")
    virsh("destroy", lab.domain("host1"))
    virsh("undefine", lab.domain("host1"))  # its disk remains
    assert lab.states(tmp_path) == {"host1": "absent"}
    said = lab.clusterlab("up").stderr
    assert f"the disk {lab.domain('host1')}.img remains from a removed machine: removing it" in said
    assert len(said.splitlines()) < 20, "progress of a few lines, not of thousands"
    assert lab.id("host1") not in ("", lost)
    assert lab.clusterlab("ssh", "host1", "--", "hostname").stdout == "host1\n"


@pytest.mark.long
def test_a_machine_that_was_switched_off_is_started(lab: VagrantLab, tmp_path: Path) -> None:
    lab.clusterlab("up")  # from then on what Vagrant wrote in the machine outlives a loss of power
    made = lab.id("host1")
    virsh("destroy", lab.domain("host1"))
    assert lab.states(tmp_path) == {"host1": "stopped"}
    lab.clusterlab("up")
    assert lab.id("host1") == made
    assert lab.states(tmp_path) == {"host1": "running"}


@pytest.mark.long
def test_an_interrupted_up_goes_on(lab: VagrantLab, tmp_path: Path) -> None:
    """What it left half made is recreated by the next `up`."""
    lab.clusterlab("down")
    argv = [sys.executable, "-m", "clusterlab", "up", "-i", str(lab.inventory)]
    with subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE, text=True) as up:
        pause = threading.Event()
        while not lab.id("host1") and up.poll() is None:
            pause.wait(0.1)
        os.kill(up.pid, signal.SIGTERM)
        _, said = up.communicate(timeout=180)
    print(said)
    assert up.returncode == 3
    assert "`clusterlab up` continues from here" in said
    half = lab.id("host1")
    assert half
    assert "was half created by an interrupted up: recreating it" in lab.clusterlab("up").stderr
    assert lab.id("host1") != half
    assert lab.states(tmp_path) == {"host1": "running"}


def test_down_leaves_nothing(lab: VagrantLab, home: Path, tmp_path: Path) -> None:
    lab.clusterlab("down")
    assert lab.left() == []
    assert lab.states(tmp_path) == {"host1": "absent"}
    assert not LabState(lab.name).folder.exists()
    assert "vagrant-libvirt" not in virsh("net-list", "--all", "--name") or os.environ.get("CLUSTERLAB_OTHER_VAGRANT")
    lab.clusterlab("box", "--remove")
    assert json.loads((home / "data/machine-index/index").read_text())["machines"] == {}
    assert list((home / "boxes").iterdir()) == []

"""The lab of inventory/vagrant.yml, from nothing to nothing: `clusterlab run` on three machines."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support.vagrant_lab import ROOT, VagrantLab, make_lab, read

pytestmark = pytest.mark.long
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
    assert {result["check"]: result["outcome"] for result in document["results"] if result["outcome"] != "pass"} == {}
    assert {result["play"] for result in document["results"]} == set(PLAYS)
    assert lab.states(tmp_path) == dict.fromkeys(lab.hosts, "running")


def test_the_swarm_uses_the_lan(lab: VagrantLab) -> None:
    ask = "sudo docker info -f '{{.Swarm.NodeAddr}} {{range .Swarm.RemoteManagers}}{{.Addr}}{{end}}'"
    assert lab.clusterlab("ssh", "host2", "--", ask).stdout == "192.168.96.12 192.168.96.11:2377\n"


def test_luns_have_a_disk_of_their_own(lab: VagrantLab) -> None:
    done = lab.clusterlab("ssh", "gw", "--", "findmnt -no SOURCE,FSTYPE /var/lib/clusterlab/luns; lsblk -dno NAME")
    assert done.stdout.split() == ["/dev/vdb", "ext4", "vda", "vdb"]


def test_a_second_up_and_apply_change_nothing(lab: VagrantLab, tmp_path: Path) -> None:
    made = {host: lab.id(host) for host in lab.hosts}
    lab.clusterlab("up")
    assert {host: lab.id(host) for host in lab.hosts} == made
    lab.clusterlab("apply", *PLAYS, "--json", str(tmp_path / "apply.json"))
    assert read(tmp_path / "apply.json")["done"] == []


def test_down_leaves_nothing(lab: VagrantLab, home: Path) -> None:
    lab.clusterlab("down")
    assert lab.left() == []
    lab.clusterlab("box", "--remove")
    assert list((home / "boxes").iterdir()) == []

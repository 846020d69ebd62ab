"""The Vagrantfile by itself, asked by the real Vagrant: what it makes of inventories, and says of wrong ones."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.vagrant_lab import ROOT

GOOD = "lab: demo\nmachines: vagrant\nhosts:\n  host1: {address: 192.168.98.11}\n"
CASES = {
    "no file": (None, "there is no inventory "),
    "of another kind": ("lab: demo\nmachines: qemu\nhosts: {a: {address: 1.2.3.4}}\n", "says `machines: qemu`"),
    "no inventory": ("title: A play\n", "is not an inventory: it needs `lab` and `hosts`"),
    "not YAML": ("lab: [demo\n", "cannot be read: "),
    "unknown reference": (GOOD.replace("192.168.98.11", '"${network.gateway}"'), "has nothing at ${network.gateway}"),
}


def vagrant(home: Path, inventory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CLUSTERLAB_INVENTORY": str(inventory), "VAGRANT_HOME": str(home)}
    done = subprocess.run(["vagrant", *words], cwd=ROOT / "vagrant", env=environment, capture_output=True, text=True)
    print(done.stdout, done.stderr)
    return done


@pytest.mark.parametrize("case", CASES)
def test_what_it_says_of_a_wrong_inventory(case: str, home: Path, tmp_path: Path) -> None:
    text, message = CASES[case]
    file = tmp_path / "inventory.yml"
    if text is not None:
        file.write_text(text)
    done = vagrant(home, file, "status")
    assert done.returncode != 0
    assert f"clusterlab: {message}" in done.stderr or f"{file} {message}" in done.stderr


def test_the_inventory_of_the_repository(home: Path) -> None:
    done = vagrant(home, ROOT / "inventory/vagrant.yml", "status")
    assert done.returncode == 0
    for host in ("gw", "host1", "host2"):
        assert f"vagrant-{host} " in done.stdout


def test_references_are_resolved(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "inventory.yml"
    file.write_text(GOOD.replace("lab: demo", 'lab: "${images.name}"\nimages: {name: other}'))
    assert "other-host1 " in vagrant(home, file, "status").stdout


def test_without_a_box_it_says_how_to_get_one(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "inventory.yml"
    file.write_text(GOOD + "qemu: {release: forky}\n")
    done = vagrant(home, file, "up")
    assert done.returncode != 0
    assert "the box clusterlab/forky is not built yet: run `clusterlab box`" in done.stderr

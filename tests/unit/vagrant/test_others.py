"""LAB-HOST may be a machine of another lab, or one that a person created: it is not this lab's to remove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.machines.record import Record
from clusterlab.machines.state import LabState
from clusterlab.machines.vagrant import lab as module
from clusterlab.machines.vagrant import libvirt
from clusterlab.machines.vagrant.lab import VagrantMachines
from clusterlab.machines.vagrant.program import Vagrant
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What Vagrant is run with, in a folder of the test; it has the machine of host lab-a of lab shop."""
    monkeypatch.delenv("VAGRANT_DOTFILE_PATH", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "Vagrantfile").touch()
    with_id(tmp_path, "shop-lab-a")
    words: list[tuple[str, ...]] = []
    monkeypatch.setattr(Vagrant, "run", lambda self, *given, **_: words.append(given))
    monkeypatch.setattr(module, "require", lambda provider: None)
    return words


def with_id(folder: Path, machine: str) -> None:
    place = folder / ".vagrant" / "machines" / machine / "virtualbox"
    place.mkdir(parents=True)
    (place / "id").write_text("0f0e")


def lab(folder: Path, name: str, *hosts: str) -> Lab:
    described: dict[str, Any] = {
        "lab": name,
        "machines": "vagrant",
        "network": {"subnet": "192.168.92.0/24"},
        "vagrant": {"provider": "virtualbox", "box": "debian/bookworm64", "folder": str(folder)},
        "hosts": {one: {"address": f"192.168.92.{11 + index}"} for index, one in enumerate(hosts)},
    }
    return Lab(Inventory.model_validate(described), folder=folder)


def test_down_leaves_a_machine_that_the_lab_does_not_know(ran: list[tuple[str, ...]], tmp_path: Path) -> None:
    shop = VagrantMachines(lab(tmp_path, "shop", "lab-a", "b"))
    with_id(tmp_path, "shop-b")
    shop._taken.begin("b")
    with pytest.raises(ClusterlabError, match="Vagrant has shop-lab-a, which lab shop neither created") as raised:
        shop.down(Silent())
    assert ran == [("destroy", "--force", "shop-b")]
    assert "vagrant destroy -f shop-lab-a" in raised.value.remedy


def test_up_refuses_a_name_that_another_lab_has(ran: list[tuple[str, ...]], tmp_path: Path) -> None:
    other = lab(tmp_path, "shop-lab", "a")
    LabState("shop-lab").write(Record.of(other.inventory, tmp_path))
    with pytest.raises(ClusterlabError, match="lab shop-lab has a machine that Vagrant calls shop-lab-a"):
        VagrantMachines(lab(tmp_path, "shop", "lab-a")).up(Silent())
    assert ran == []


def test_the_disk_of_a_host_whose_name_begins_alike_is_none_of_its_own() -> None:
    assert libvirt._is_extra("clusterlab-shop-db-vdb.qcow2", {"clusterlab-shop-db"})
    assert not libvirt._is_extra("clusterlab-shop-db-vd1.img", {"clusterlab-shop-db"})
    assert not libvirt._is_extra("clusterlab-shop-db-vd1-vdb.qcow2", {"clusterlab-shop-db"})

"""A disk that is full while machines come up: the error says so, and nothing new remains."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.machines import open_machines
from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.machines.qemu.processes import processes_in
from clusterlab.machines.state import LabState
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
from tests.support import footprint
from tests.support.labs import namespaces_lab
from tests.support.small_disk import small_disk

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("size", ["16k", "48k", "128k", "400k"])
def test_hosts_in_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    """Wherever the room ends: at the record, the keys, a host's files or its engine's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lab = namespaces_lab(f"full-{os.getpid()}", "10.67.0.0/24")
    with small_disk(tmp_path / "state", size):
        try:
            with pytest.raises(ClusterlabError) as raised:
                open_machines(lab).up(Silent())
        except BaseException:
            open_machines(lab).down(Silent())
            raise
        assert "no space" in f"{raised.value.message}\n{raised.value.remedy}"
        assert not footprint.processes(lab.name)
        assert not LabState(lab.name).folder.exists()


@pytest.mark.parametrize("size", ["16k", "64k", "200k"])
def test_virtual_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    """The room ends before any machine could boot."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    name = f"full-{os.getpid()}"
    hosts = {f"host{number}": {"address": f"192.168.95.{number}"} for number in (1, 2)}
    data = {"lab": name, "machines": "qemu", "network": {"subnet": "192.168.95.0/24"}, "hosts": hosts}
    lab = Lab(Inventory.model_validate(data))
    with small_disk(tmp_path / "state", size):
        with pytest.raises(ClusterlabError) as raised:
            QemuMachines(lab, clones=False).up(Silent())
        assert "no space" in f"{raised.value.message}\n{raised.value.remedy}"
        assert not processes_in(LabState(name).folder)
        assert not LabState(name).folder.exists()

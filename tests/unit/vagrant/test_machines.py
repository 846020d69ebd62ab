"""What Vagrant wrote down of its machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.machines.vagrant.folder import MachineIds


@pytest.fixture(autouse=True)
def _no_other_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAGRANT_DOTFILE_PATH", raising=False)


def write(folder: Path, machine: str, provider: str, text: str) -> None:
    place = folder / "machines" / machine / provider
    place.mkdir(parents=True)
    (place / "id").write_text(text)


def test_ids(tmp_path: Path) -> None:
    machines = MachineIds(tmp_path, "demo", "libvirt")
    assert machines.id("gw") == ""
    write(tmp_path / ".vagrant", "demo-gw", "libvirt", "0f0e\n")
    write(tmp_path / ".vagrant", "demo-host1", "virtualbox", "1a1b")
    assert (machines.id("gw"), machines.other_provider("gw")) == ("0f0e", "")
    assert (machines.id("host1"), machines.other_provider("host1")) == ("", "virtualbox")
    assert MachineIds(tmp_path, "other", "libvirt").id("gw") == ""


@pytest.mark.parametrize("place", ["elsewhere", "{tmp}/elsewhere"])
def test_where_vagrant_was_told_to_write(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAGRANT_DOTFILE_PATH", place.format(tmp=tmp_path))
    write(tmp_path / "elsewhere", "demo-gw", "libvirt", "0f0e")
    assert MachineIds(tmp_path, "demo", "libvirt").id("gw") == "0f0e"

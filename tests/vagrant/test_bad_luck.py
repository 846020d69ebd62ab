"""What goes wrong before a machine is made: nothing boots here, all of it is really so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterlab.machines.state import LabState
from tests.support.vagrant_lab import ROOT, VagrantLab, make_lab, virsh

HOSTS = {
    "gw": {"address": "192.168.92.1", "roles": ["nfs_server"]},
    "host1": {"address": "192.168.92.11", "roles": ["docker"]},
}
DOMAIN = "<domain type='qemu'><name>{name}</name><memory>65536</memory><os><type>hvm</type></os></domain>"


@pytest.fixture
def lab(home: Path, tmp_path: Path) -> Iterator[VagrantLab]:
    wanted = {"machines": "vagrant", "network": {"subnet": "192.168.92.0/24"}, "hosts": HOSTS}
    lab = make_lab(tmp_path, "clusterlab-test-none", wanted)
    yield lab
    lab.clusterlab("down")
    assert lab.left() == []


@pytest.fixture
def taken(lab: VagrantLab, tmp_path: Path) -> Iterator[str]:
    """A machine in libvirt with a name of the lab, which Vagrant here does not know."""
    file = tmp_path / "domain.xml"
    file.write_text(DOMAIN.format(name=lab.domain("host1")))
    virsh("define", str(file))
    yield lab.domain("host1")
    virsh("undefine", lab.domain("host1"))


def test_without_vagrant(lab: VagrantLab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for verb in ("up", "status"):
        said = lab.clusterlab(verb, code=3).stderr
        assert "Vagrant is not installed" in said
        assert "sh setup/system.sh --vagrant" in said
    monkeypatch.undo()


def test_without_libvirt(lab: VagrantLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "qemu+unix:///system?socket=/nowhere/libvirt-sock")
    said = lab.clusterlab("up", code=3).stderr
    assert "libvirt is not running here" in said
    assert "setup/libvirt.sh" in said
    monkeypatch.undo()


@pytest.mark.skipif("vmx" in Path("/proc/cpuinfo").read_text(), reason="this computer has hardware virtualisation")
@pytest.mark.skipif("svm" in Path("/proc/cpuinfo").read_text(), reason="this computer has hardware virtualisation")
def test_virtualbox_without_hardware_virtualisation(lab: VagrantLab) -> None:
    text = lab.inventory.read_text() + "vagrant: {provider: virtualbox, box: debian/bookworm64}\n"
    other = lab.inventory.with_name("virtualbox.yml")
    other.write_text(text)
    argv = [sys.executable, "-m", "clusterlab", "up", "-i", str(other)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 3
    assert "VirtualBox needs hardware virtualisation" in done.stderr


def test_a_name_that_libvirt_has_is_never_taken_away(lab: VagrantLab, taken: str) -> None:
    for verb in ("up", "down"):
        said = lab.clusterlab(verb, code=3).stderr
        assert taken in said
        assert f"virsh -c qemu:///system undefine --remove-all-storage {taken}" in said
        assert taken in virsh("list", "--all", "--name")


def test_a_machine_made_with_another_provider(lab: VagrantLab) -> None:
    folder = ROOT / "vagrant/.vagrant/machines" / lab.machine("gw") / "virtualbox"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "id").write_text("0f0e")
    said = lab.clusterlab("up", code=3).stderr
    assert "gw was created with the provider virtualbox, and the inventory now says libvirt" in said
    assert f"vagrant destroy -f {lab.machine('gw')}" in said
    (folder / "id").unlink()


def test_what_needs_machines_says_that_there_are_none(lab: VagrantLab) -> None:
    for verb in ("provision", "ssh-config"):
        said = lab.clusterlab(verb, code=3).stderr
        assert "is not up: Vagrant has no gw, host1" in said
        assert "vagrant up" in said
    assert not LabState(lab.name).folder.exists()

"""Machines started from a saved lab: which are, and what is said and left when they cannot be."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.machines import open_machines
from clusterlab.machines.kinds import MACHINE_KINDS
from clusterlab.machines.qemu import loading, saved_lab
from clusterlab.machines.qemu.files import LabFiles
from clusterlab.machines.qemu.saved_lab import QemuSavedLab, definition
from clusterlab.machines.qemu.snapshot_record import Needs, SavedHost, SnapshotRecord
from clusterlab.machines.saved_labs import SavedFolder, saved_lab_of, write_record
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.pipeline.down import bring_down
from clusterlab.progress import Silent, Task
from clusterlab.remote import Hosts
from tests.support.saved_labs import INVENTORY, Told, changed, pretend_computer, save


@pytest.fixture(autouse=True)
def computer(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_computer(monkeypatch)


def test_only_kinds_that_can_be_saved_are() -> None:
    saved = {name for name in MACHINE_KINDS if saved_lab_of(open_machines(lab(name))) is not None}
    assert saved == {"qemu"}


def lab(kind: str) -> Lab:
    return Lab(inventory=Inventory.model_validate({**INVENTORY, "machines": kind}))


def saved_machines(files: LabFiles) -> SavedFolder:
    """A lab that looks saved, whose machines no QEMU can load."""
    saved = SavedFolder(files.lab)
    with saved.replaced() as folder:
        for name in files.machines:
            (folder / "hosts" / name).mkdir(parents=True)
        (folder / "keys").mkdir()
        needs = Needs(hosts={}, way="emulation", fingerprint="")
        own = {name: SavedHost(own_memory=True, backing=Path("/")) for name in files.machines}
        record = SnapshotRecord.model_validate({"taken": "2026-01-01T00:00:00Z", "needs": needs, "hosts": own})
        (folder / "machines.json").write_text(record.model_dump_json())
        write_record(folder, definition(files), {})
    return saved


def test_nothing_is_started_where_nothing_is_saved() -> None:
    told = Told()
    assert not QemuSavedLab(changed()).start(told)
    assert told.said == []


def test_a_damaged_lab_is_not_started_and_is_removed_and_that_is_said_in_one_line() -> None:
    files = changed()
    saved = saved_machines(files)
    os.truncate(saved.path / "machines.json", 0)
    size = saved.record().files["machines.json"].size
    told = Told()
    assert not QemuSavedLab(files).fits
    assert not QemuSavedLab(files).start(told)
    damage = f"{saved.path}/machines.json has 0 of its {size} bytes"
    assert told.said == [f"one: its saved state cannot be used and is removed ({damage}): starting from the image"]
    assert not saved.exists


def test_a_lab_of_another_inventory_is_not_started_and_is_kept() -> None:
    saved = saved_machines(changed())
    told = Told()
    assert QemuSavedLab(changed()).fits
    assert not QemuSavedLab(changed(qemu={"memory": "2G"})).fits
    assert not QemuSavedLab(changed(qemu={"memory": "2G"})).start(told)
    assert told.said == [
        "one: its saved state is not used, because the inventory changed since then: starting from the image"
    ]
    assert saved.exists


def test_a_lab_of_another_name_is_not_started() -> None:
    saved_machines(changed())
    told = Told()
    assert not QemuSavedLab(changed(lab="two")).start(told)
    assert told.said == []


def test_a_lab_with_machines_is_not_started_again() -> None:
    files = changed()
    saved = saved_machines(files)
    files.machines["gw"].folder.mkdir(parents=True)
    assert QemuSavedLab(files).is_new, "it was never up"
    files.machines["gw"].mark_made()
    assert not QemuSavedLab(files).is_new
    assert not QemuSavedLab(changed(hosts={"other": {"address": "192.168.96.99"}})).is_new, "gw is still there"
    assert not QemuSavedLab(files).start(Silent())
    assert saved.exists


def test_machines_that_cannot_be_loaded_leave_nothing_behind() -> None:
    """As the disks are missing here, nothing is started; only files are cleared away."""
    files = changed()
    saved = saved_machines(files)
    files.lan.start = lambda: None  # type: ignore[method-assign]
    told = Told()
    assert not QemuSavedLab(files).start(told)
    (line,) = told.said
    assert "disk.qcow2 could not be copied" in line
    assert line.endswith("starting from the image")
    assert not saved.exists
    assert not files.keys.folder.exists()
    assert [machine.folder for machine in files.machines.values() if machine.folder.exists()] == []


def test_a_disk_that_could_become_full_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    files = changed()
    for machine in files.machines.values():
        machine.folder.mkdir(parents=True)
        for name in ("disk.qcow2", "seed.img"):
            (machine.folder / name).touch()

    def save_all(files: LabFiles, folder: Path, task: Task, clocks: object) -> SnapshotRecord:
        raise AssertionError("machines were stopped for nothing")

    monkeypatch.setattr(saved_lab, "save_all", save_all)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Free())
    with pytest.raises(ClusterlabError, match="it could take 4 GiB, and 3 GiB of the disk are free"):
        QemuSavedLab(files).save(Hosts({}), Silent())


class _Free:
    free = 3 << 30


def test_machines_are_made_only_once_their_clocks_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt in between leads to a new start."""
    files = changed()
    saved_machines(files)
    files.lan.start = lambda: None  # type: ignore[method-assign]
    monkeypatch.setattr(saved_lab, "copy", lambda source, target: None)
    for step in ("_start_all", "_load_states", "_wait_for_all"):
        monkeypatch.setattr(loading, step, lambda *_: None)
    monkeypatch.setattr(LabFiles, "ports", {"gw": 1, "host1": 2})
    lab = QemuSavedLab(files)

    def interrupted(hosts: Hosts) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(saved_lab, "set_clocks_of", interrupted)
    for _ in range(2):
        assert set(lab.start(Silent())) == set(files.machines)
        with pytest.raises(KeyboardInterrupt):
            lab.set_clocks(Hosts({}))
        assert lab.is_new, "nobody works with clocks in the past"
    monkeypatch.setattr(saved_lab, "set_clocks_of", lambda hosts: None)
    assert lab.start(Silent())
    lab.set_clocks(Hosts({}))
    assert not lab.is_new


def test_down_says_what_it_did_with_existing_machines_too() -> None:
    saved = save()
    own = {"address": "192.168.96.1", "ssh": {"address": "127.0.0.1"}}
    inventory = {"lab": "one", "machines": "existing", "network": {"subnet": "192.168.96.0/24"}, "hosts": {"gw": own}}
    said = bring_down("one", Lab(inventory=Inventory.model_validate(inventory)), Silent())
    assert said.startswith(MACHINE_KINDS["existing"].down)
    assert "the lab as it was saved for the next start remains" in said
    assert saved.exists

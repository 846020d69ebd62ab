"""Snapshots without machines: what no longer fits, names, records, and exchanging disks all or none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clusterlab.build.machine_image import MachineImage
from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.machines.kinds import NAMESPACES
from clusterlab.machines.qemu.accelerator import Accelerator
from clusterlab.machines.qemu.files import LabFiles
from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.machines.qemu.launch import MachineSize, MachineSpec, Memory, command_line
from clusterlab.machines.qemu.restoring import exchange, finish, lay_ready, undo
from clusterlab.machines.qemu.saving import FILES, full_disk
from clusterlab.machines.qemu.snapshot_record import HostNeeds, Needs, SnapshotRecord, incompatibilities
from clusterlab.machines.snapshots import snapshots_of
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
from clusterlab.reports.tables import age_text


def host(**changed: object) -> HostNeeds:
    return HostNeeds.model_validate(
        {"address": "192.0.2.11/24", "memory": "1G", "cpus": 1, "image": "one"} | dict(changed)
    )


def needs(way: str = "emulation", fingerprint: str = "QEMU 7.2.1 tcg", **hosts: HostNeeds) -> Needs:
    return Needs(hosts=hosts or {"a": host(), "b": host()}, way=way, fingerprint=fingerprint)


def test_what_is_the_same_fits() -> None:
    assert incompatibilities(needs(), needs()) == []


def test_memory_is_compared_by_its_amount() -> None:
    assert incompatibilities(needs(), needs(a=host(memory="1024M"), b=host())) == []
    assert incompatibilities(needs(), needs(a=host(memory="1025M"), b=host())) == [
        "a was saved with memory 1G, and the inventory now says 1025M"
    ]


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (needs(a=host()), "b is not in the inventory"),
        (needs(a=host(), b=host(), c=host()), "c is new in the inventory"),
        (needs(a=host(memory="2G"), b=host()), "a was saved with memory 1G, and the inventory now says 2G"),
        (needs(a=host(), b=host(cpus=2)), "b was saved with cpus 1, and the inventory now says 2"),
        (
            needs(a=host(address="192.0.2.11/16"), b=host()),
            "a was saved with address 192.0.2.11/24, and the inventory now says 192.0.2.11/16",
        ),
        (
            needs(a=host(image="two"), b=host(image="two")),
            "a, b: created from another machine image than the one now in use",
        ),
        (needs(fingerprint="QEMU 8.0.0 tcg"), "saved by QEMU 7.2.1, and here is QEMU 8.0.0"),
        (
            needs("KVM", "QEMU 7.2.1 kvm Model vmx"),
            "saved under emulation, and machines now run under KVM",
        ),
    ],
)
def test_what_differs_does_not_fit(now: Needs, reason: str) -> None:
    assert incompatibilities(needs(), now) == [reason]


def test_another_processor_does_not_fit_under_kvm() -> None:
    saved, now = needs("KVM", "QEMU 7.2.1 kvm One vmx"), needs("KVM", "QEMU 7.2.1 kvm Other vmx")
    assert incompatibilities(saved, now) == ["saved under KVM on another kind of processor"]


def test_all_reasons_are_given_at_once() -> None:
    assert len(incompatibilities(needs(), needs(fingerprint="QEMU 8.0.0 tcg", a=host(memory="2G", image="two")))) == 4


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7199, "1 h"), (172800, "2 d"), (-5, "0 s")]
)
def test_age(seconds: int, text: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert age_text(now - timedelta(seconds=seconds), now) == text


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Lab:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    hosts = {name: {"address": f"192.168.98.{n}"} for n, name in enumerate(("a", "b"), start=1)}
    return Lab(inventory=Inventory.model_validate({"lab": "snap-unit", "hosts": hosts}))


@pytest.fixture
def files(lab: Lab, tmp_path: Path) -> LabFiles:
    """A lab with disks that say `old`, and a snapshot in tmp_path/snapshot whose disks say `saved`."""
    files = LabFiles(lab.name, lab.inventory, lab.folder)
    for name, machine in files.machines.items():
        machine.folder.mkdir(parents=True)
        (tmp_path / "snapshot" / name).mkdir(parents=True)
        for file in FILES:
            (machine.folder / file).write_text("old")
            (tmp_path / "snapshot" / name / file).write_text("saved")
    return files


def contents(files: LabFiles) -> dict[str, str]:
    """Every file of the machines; two that have one name must say the same."""
    return {
        f"{name}/{path.name}": path.read_text()
        for name, machine in files.machines.items()
        for path in sorted(machine.folder.iterdir())
    }


OLD = {f"{name}/{file}": "old" for name in ("a", "b") for file in FILES}
SAVED = dict.fromkeys(OLD, "saved")


def test_an_exchange(files: LabFiles, tmp_path: Path) -> None:
    lay_ready(files, tmp_path / "snapshot")
    exchange(files)
    finish(files)
    assert contents(files) == SAVED
    assert not undo(files)
    assert contents(files) == SAVED


def test_an_exchange_is_undone_until_it_is_finished(files: LabFiles, tmp_path: Path) -> None:
    lay_ready(files, tmp_path / "snapshot")
    exchange(files)
    assert {file: text for file, text in contents(files).items() if file in SAVED} == SAVED
    assert undo(files)
    assert contents(files) == OLD
    assert not undo(files)


def test_an_exchange_that_was_killed_half_way_is_undone(files: LabFiles, tmp_path: Path) -> None:
    lay_ready(files, tmp_path / "snapshot")
    (files.machines["b"].folder / f"next.{FILES[1]}").unlink()
    with pytest.raises(FileNotFoundError):
        exchange(files)
    assert undo(files)
    assert contents(files) == OLD


def test_a_snapshot_that_cannot_be_copied_changes_nothing(files: LabFiles, tmp_path: Path) -> None:
    (tmp_path / "snapshot" / "b" / FILES[0]).unlink()
    with pytest.raises(ClusterlabError, match="could not be copied"):
        lay_ready(files, tmp_path / "snapshot")
    assert contents(files) == OLD


@pytest.mark.parametrize("name", ["", ".new", "a/b", "-x", "a b", "x" * 65])
def test_a_name_that_is_none_is_refused(lab: Lab, name: str) -> None:
    with pytest.raises(UsageError):
        QemuMachines(lab).snapshots.take(name, Silent())


def test_machines_that_are_not_up_are_not_saved(lab: Lab) -> None:
    snapshots = QemuMachines(lab).snapshots
    with pytest.raises(ClusterlabError, match="a is absent: a snapshot needs all machines") as raised:
        snapshots.take("warm", Silent())
    assert raised.value.remedy == "bring them up first: clusterlab up"
    assert snapshots.names() == []


def test_an_unknown_name_is_answered_with_those_there_are(lab: Lab) -> None:
    snapshots = QemuMachines(lab).snapshots
    with pytest.raises(UsageError, match="no snapshot 'warn'") as raised:
        snapshots.restore("warn", Silent())
    assert raised.value.remedy == "create one: clusterlab snapshot NAME"
    (LabFiles(lab.name, lab.inventory, lab.folder).state.folder / "snapshots" / "warm").mkdir(parents=True)
    with pytest.raises(UsageError) as raised:
        snapshots.remove("warn")
    assert raised.value.remedy == "Did you mean 'warm'?"


def test_a_record_that_cannot_be_read_is_listed_and_not_restored(lab: Lab) -> None:
    snapshots = QemuMachines(lab).snapshots
    folder = LabFiles(lab.name, lab.inventory, lab.folder).state.folder / "snapshots" / "warm"
    folder.mkdir(parents=True)
    (folder / "snapshot.json").write_text("{")
    [one] = snapshots.known()
    assert one.taken is None
    assert "cannot be read" in one.incompatibilities[0]
    with pytest.raises(ClusterlabError, match="the snapshot warm cannot be restored: its record cannot be read"):
        snapshots.restore("warm", Silent())


def test_a_record_of_a_newer_form_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    record = SnapshotRecord(form=99, taken=datetime.now(UTC), needs=needs(), hosts={})
    file.write_text(record.model_dump_json())
    with pytest.raises(ClusterlabError, match="newer clusterlab"):
        SnapshotRecord.read(file)


def test_a_disk_with_room_is_not_called_full(tmp_path: Path) -> None:
    assert full_disk(tmp_path) is None


def test_a_clones_memory_keeps_its_name_without_the_file(tmp_path: Path) -> None:
    how = Accelerator("emulation", "tcg", "max", "")
    spec = MachineSpec(
        "x", tmp_path, MachineImage(tmp_path), MachineSize("1G", 1), how, "52:54:00:00:00:01", memory=Memory()
    )
    line = command_line(spec)
    assert "memory-backend-ram,id=memory,size=1G" in line
    assert "q35,memory-backend=memory" in line


class Plain:
    kind = NAMESPACES


def test_other_kinds_of_machines_have_none() -> None:
    with pytest.raises(UsageError, match="namespaces machines have no snapshots"):
        snapshots_of(Plain())  # type: ignore[arg-type]


def test_machines_are_ended_and_snapshots_stay(lab: Lab, files: LabFiles) -> None:
    (files.state.folder / "snapshots" / "warm").mkdir(parents=True)
    snapshots = QemuMachines(lab).snapshots
    snapshots.end_machines(Silent())
    assert snapshots.names() == ["warm"]
    assert contents(files) == OLD

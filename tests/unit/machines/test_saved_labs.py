"""Saved labs without machines: what they fit, what is damaged, what replaces them, how many there are."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast
from uuid import uuid4

import pytest

from clusterlab.build.cache import cache_folder
from clusterlab.cli.main import main
from clusterlab.errors import ClusterlabError
from clusterlab.machines import open_machines
from clusterlab.machines.file_identity import identity
from clusterlab.machines.kinds import MACHINE_KINDS
from clusterlab.machines.qemu import loading, saved_lab
from clusterlab.machines.qemu.accelerator import Accelerator
from clusterlab.machines.qemu.files import LabFiles
from clusterlab.machines.qemu.processes import Process
from clusterlab.machines.qemu.saved_lab import QemuSavedLab, definition
from clusterlab.machines.qemu.saving import backing_chain, saved_host
from clusterlab.machines.qemu.snapshot_record import Needs, SavedHost, SnapshotRecord
from clusterlab.machines.saved_labs import MOST, SavedFolder, prune, saved_lab_of, saved_labs, write_record
from clusterlab.machines.state import LabState
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.nightly.labs import labs
from clusterlab.nightly.leftovers import Leftover, of_cache, of_saved_labs
from clusterlab.pipeline.down import bring_down
from clusterlab.progress import Silent, Task
from clusterlab.remote import Hosts

INVENTORY: dict[str, Any] = {
    "lab": "one",
    "machines": "qemu",
    "network": {"subnet": "192.168.96.0/24"},
    "hosts": {
        "gw": {"address": "192.168.96.1", "roles": ["nfs_server"]},
        "host1": {"address": "192.168.96.11", "roles": ["docker", "swarm_manager"]},
    },
}


class Told(Silent):
    """What was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, subject: str, text: str) -> None:
        self.said.append(f"{subject}: {text}")


@pytest.fixture(autouse=True)
def computer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer with QEMU, and with images that need not be built."""
    accelerator = Accelerator("emulation", "tcg", "max", "QEMU 7.2 tcg")
    monkeypatch.setattr(saved_lab, "accelerator", lambda: accelerator)
    monkeypatch.setattr(LabFiles, "build_images", lambda *_: None)


def changed(**keys: Any) -> LabFiles:
    inventory = Inventory.model_validate({**INVENTORY, **keys})
    return LabFiles(inventory.lab, inventory, Path("/"))


def hosts(**keys: Any) -> dict[str, Any]:
    return {**INVENTORY["hosts"], **keys}


def save(name: str = "one", *bases: Path, of: Mapping[str, str] = MappingProxyType({})) -> SavedFolder:
    saved = SavedFolder(name)
    with saved.replaced() as folder:
        (folder / "state").write_bytes(b"memory")
        write_record(folder, of, {base: found for base in bases if (found := identity(base))})
    return saved


@pytest.mark.parametrize(
    ("keys", "differs"),
    [
        ({}, []),
        ({"images": {"shell": {"build": "busybox"}}}, []),
        ({"allow_faults": ["pause"]}, []),
        ({"hosts": hosts(host2={"address": "192.168.96.12", "roles": ["docker"]})}, ["the inventory"]),
        ({"hosts": hosts(gw={"address": "192.168.96.1"})}, ["the inventory"]),
        ({"hosts": hosts(gw={"address": "192.168.96.2", "roles": ["nfs_server"]})}, ["the inventory"]),
        ({"nfs": {"exports": [{"path": "/shares", "clients": "192.168.96.0/24"}]}}, ["the inventory"]),
        ({"qemu": {"memory": "2G"}}, ["the inventory"]),
        ({"qemu": {"release": "bookworm"}}, ["the inventory", "the machine image"]),
        ({"lab": "two"}, ["the inventory"]),
    ],
)
def test_a_lab_fits_one_that_is_made_from_the_same(keys: dict[str, Any], differs: list[str]) -> None:
    saved = save(of=definition(changed()))
    assert saved.differences(definition(changed(**keys))) == differs


def test_another_qemu_and_another_clusterlab_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = save(of=definition(changed()))
    monkeypatch.setattr(saved_lab, "accelerator", lambda: Accelerator("emulation", "tcg", "max", "QEMU 8.0 tcg"))
    monkeypatch.setattr(saved_lab, "_CODE", ("plan",))
    assert saved.differences(definition(changed())) == ["QEMU or the processor", "clusterlab"]


def test_what_is_whole_is_not_damaged() -> None:
    assert save().damage() == ""


def test_a_truncated_file_a_missing_one_and_a_missing_base_are_noticed(tmp_path: Path) -> None:
    base = tmp_path / "disk.qcow2"
    base.touch()
    saved = save("one", base)
    assert saved.damage() == ""
    base.rename(tmp_path / "elsewhere")
    assert saved.damage() == f"{base}, which its disks are based on, no longer exists"
    os.truncate(saved.path / "state", 3)
    assert saved.damage() == f"{saved.path}/state has 3 of its 6 bytes"
    (saved.path / "state").unlink()
    assert saved.damage() == f"{saved.path}/state has 0 of its 6 bytes"


def test_other_bytes_of_the_same_size_are_noticed() -> None:
    saved = save()
    (saved.path / "state").write_bytes(b"others")
    assert saved.damage() == f"{saved.path}/state was changed since then"


@pytest.mark.parametrize("rebuilt", ["image.img", "disk.qcow2"])
def test_a_base_that_was_built_again_under_its_name_is_noticed_wherever_it_is_in_the_chain(
    rebuilt: str, tmp_path: Path
) -> None:
    chain = [tmp_path / "disk.qcow2", tmp_path / "image.img"]
    for path in chain:
        path.write_bytes(b"blocks")
    saved = save("one", *chain)
    (tmp_path / rebuilt).rename(tmp_path / "before")
    (tmp_path / rebuilt).write_bytes(b"blocks")
    assert saved.damage() == f"{tmp_path / rebuilt}, which its disks are based on, is another file by now"
    assert saved.bases == set(), "nothing need be kept for it"
    (tmp_path / "before").rename(tmp_path / rebuilt)
    assert saved.damage() == ""
    assert saved.bases == set(chain)


def overlay(disk: Path, base: Path, form: str) -> None:
    disk.parent.mkdir(parents=True, exist_ok=True)
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", form, "-b", str(base), str(disk)]
    subprocess.run(command, check=True)


@pytest.fixture
def chain(tmp_path: Path) -> list[Path]:
    """A machine's disk, and what it stands on: a saved machine's disk, and that one's image."""
    image, machine = (cache_folder() / kind / uuid4().hex / "disk" for kind in ("machine-image", "saved-machine"))
    image.parent.mkdir(parents=True)
    image.touch()
    os.truncate(image, 1 << 20)
    overlay(machine, image, "raw")
    overlay(tmp_path / "disk.qcow2", machine, "qcow2")
    return [tmp_path / "disk.qcow2", machine, image]


needs_qemu = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")


@needs_qemu
def test_artefacts_that_a_saved_lab_stands_on_are_kept_down_to_the_image(chain: list[Path]) -> None:
    assert backing_chain(chain[0]) == chain[1:]
    saved = save("one", *backing_chain(chain[0]))
    names = {str(path.parent.relative_to(cache_folder())): path for path in chain[1:]}

    def left_over() -> dict[str, Leftover]:
        for path in names.values():
            os.utime(path.parent, (time.time() - 40 * 86400,) * 2)
        return {one.name: one for one in of_cache(30) if one.name in names}

    assert left_over() == {}
    saved.remove()
    found = left_over()
    assert set(found) == set(names)
    save("one", chain[2])
    machine, image = (found[name].remove for name in names)
    assert machine is not None
    assert image is not None
    machine()
    with pytest.raises(ClusterlabError, match="it is kept"):
        image()
    assert [path.exists() for path in names.values()] == [False, True]


@needs_qemu
def test_what_is_recorded_of_a_disk_is_what_its_machine_has_open(chain: list[Path]) -> None:
    class Running:
        pid = os.getpid()
        arguments = ()

    process = cast(Process, Running())
    disk, *bases = chain
    with ExitStack() as opened:
        for path in bases:
            opened.enter_context(path.open())
        assert set(saved_host(disk, "gw", process).bases) == set(bases)
        bases[1].rename(bases[1].with_name("before"))
        bases[1].touch()
        os.truncate(bases[1], 1 << 20)
        with pytest.raises(ClusterlabError, match="which the disk of gw is based on, is no longer the file that it us"):
            saved_host(disk, "gw", process)


@pytest.mark.parametrize("content", ["", "{", "{}", None])
def test_a_record_that_cannot_be_read_is_damage(content: str | None) -> None:
    saved = save()
    record = saved.path / "record.json"
    record.unlink()
    if content is not None:
        record.write_text(content)
    assert saved.damage() == f"its record cannot be read: {record}"


def test_an_interrupted_saving_leaves_what_was_saved_before() -> None:
    saved = save(of={"inventory": "before"})

    def interrupted() -> None:
        with saved.replaced() as folder:
            (folder / "state").write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert saved.damage() == ""
    assert saved.record().definition == {"inventory": "before"}
    assert [path.name for path in saved.path.parent.iterdir()] == ["one"]


def test_what_a_killed_saving_left_is_no_saved_lab_and_is_left_over() -> None:
    half = SavedFolder("one").path.with_name("one.new")
    half.mkdir(parents=True)
    (half / "state").write_bytes(b"half")
    assert not SavedFolder("one").exists
    (found,) = of_saved_labs(30)
    assert (found.kind, found.name, found.why) == ("saved lab", "one", "its saving or removal was interrupted")
    assert found.remove is not None
    found.remove()
    assert saved_labs() == []
    assert not half.exists()


def test_saving_again_replaces_what_was_saved() -> None:
    save(of={"inventory": "before"})
    saved = save(of={"inventory": "after"})
    assert saved.record().definition == {"inventory": "after"}
    assert [path.name for path in saved.path.parent.iterdir()] == ["one"]


def test_others_cannot_look_into_a_saved_lab() -> None:
    saved = save()
    assert saved.path.stat().st_mode & 0o777 == 0o700
    assert saved.path.parent.stat().st_mode & 0o777 == 0o700
    assert (saved.path / "record.json").stat().st_mode & 0o777 == 0o600


@contextmanager
def lock_of_another_command(name: str) -> Iterator[None]:
    file = LabState(name).folder.with_name(f"{name}.lock")
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("1 up\n")
        lock.flush()
        yield
    file.unlink()


def test_those_unused_for_longest_make_room_for_new_ones() -> None:
    for age, name in enumerate(("b", "c", "d", "a")):
        saved = save(name)
        os.utime(saved.path / "record.json", (time.time() - age * 60,) * 2)
    SavedFolder("a").use()
    save("new")
    with lock_of_another_command("c"):
        prune("new")
    assert [one.lab for one in saved_labs()] == ["a", "b", "c", "new"], "c is in use"
    prune("new")
    assert [one.lab for one in saved_labs()] == ["a", "b", "new"]
    assert len(saved_labs()) == MOST


def test_what_was_not_used_for_long_is_left_over() -> None:
    saved = save()
    assert of_saved_labs(30) == []
    os.utime(saved.path / "record.json", (time.time() - 40 * 86400,) * 2)
    (found,) = of_saved_labs(30)
    assert (found.name, found.why) == ("one", "not used for 40 days")
    assert found.size > 0
    saved.use()
    assert found.remove is not None
    with pytest.raises(ClusterlabError, match="is no longer left over"):
        found.remove()
    assert saved.exists


def test_labs_show_what_is_saved_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    save()
    (lab,) = labs()
    assert (lab.name, lab.machines) == ("one", "none")
    assert lab.saved >= 4096
    main(["clusterlab", "labs"])
    assert "one ? none unknown 0" in " ".join(capsys.readouterr().out.split())


def test_labs_are_listed_while_one_of_them_is_saved() -> None:
    stop = threading.Event()

    def save_again_and_again() -> None:
        while not stop.is_set():
            with SavedFolder("one").replaced() as folder:
                (folder / "hosts").mkdir()
                for number in range(5):
                    (folder / "hosts" / str(number)).touch()
                write_record(folder, {}, {})

    saving = threading.Thread(target=save_again_and_again)
    saving.start()
    try:
        for _ in range(100):
            labs()
        of_cache(30)
    finally:
        stop.set()
        saving.join()


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

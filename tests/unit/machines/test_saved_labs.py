"""Saved labs without machines: what they fit, what is damaged, what replaces them, how many there are."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest

from clusterlab.build.cache import cache_folder
from clusterlab.cli.main import main
from clusterlab.errors import ClusterlabError
from clusterlab.machines.qemu import saved_lab
from clusterlab.machines.qemu.accelerator import Accelerator
from clusterlab.machines.qemu.processes import Process
from clusterlab.machines.qemu.saved_lab import definition
from clusterlab.machines.qemu.saving import backing_chain, saved_host
from clusterlab.machines.saved_labs import MOST, SavedFolder, prune, saved_labs, write_record
from clusterlab.machines.state import LabState
from clusterlab.nightly.labs import labs
from clusterlab.nightly.leftovers import Leftover, of_cache, of_saved_labs
from tests.support.saved_labs import changed, hosts, pretend_computer, save


@pytest.fixture(autouse=True)
def computer(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_computer(monkeypatch)


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

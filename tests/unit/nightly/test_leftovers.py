from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from clusterlab.build.cache import cache_folder
from clusterlab.machines.qemu.files import LabFiles
from clusterlab.machines.state import LabState, Record, known_labs
from clusterlab.model import load_inventory
from clusterlab.nightly.labs import labs
from clusterlab.nightly.leftovers import Leftover, of_cache, of_labs, of_runs
from clusterlab.nightly.runs import Runs
from clusterlab.progress import Silent

INVENTORY = """\
lab: {name}
machines: namespaces
network: {{subnet: 10.231.0.0/24}}
hosts:
  host1: {{address: 10.231.0.11, roles: [docker]}}
"""


def state(name: str, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.yml"
    file.write_text(INVENTORY.format(name=name))
    lab = load_inventory(file)
    LabState(name).write(Record(kind="namespaces", inventory=lab.inventory, folder=folder))


def told(found: list[Leftover]) -> list[tuple[str, str, str]]:
    return [(one.kind, one.name, one.why) for one in found]


def artefact(name: str, days: float) -> Path:
    path = cache_folder() / "rootfs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 10_000)
    moment = time.time() - days * 86400
    os.utime(path, (moment, moment))
    return path


def test_a_lab_whose_machines_are_gone_is_left_over(tmp_path: Path) -> None:
    state("dead", tmp_path / "dead")
    (found,) = of_labs(Silent())
    assert told([found]) == [("lab", "dead", "none of its machines runs")]
    assert found.remove is not None
    found.remove()
    assert known_labs() == []


def test_a_lab_with_a_snapshot_is_kept_wherever_gc_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home" / "inventory").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "home")
    file = Path("inventory/lab.yml")
    file.write_text("lab: saved\nmachines: qemu\nhosts: {host1: {address: 192.168.98.11, roles: [docker]}}\n")
    lab = load_inventory(file)
    files = LabFiles(lab.name, lab.inventory, lab.folder)
    files.write_record({})
    assert [found.why for found in of_labs(Silent())] == ["none of its machines runs"]
    (files.state.folder / "snapshots" / "warm").mkdir(parents=True)
    for folder in (tmp_path / "home", tmp_path):
        monkeypatch.chdir(folder)
        assert of_labs(Silent()) == []
        assert [(lab.folder, lab.folder_exists) for lab in labs()] == [(str(tmp_path / "home" / "inventory"), True)]
    record = files.state.read()
    assert record is not None
    files.state.write(record.model_copy(update={"folder": Path("inventory")}))  # as it was noted once
    assert of_labs(Silent()) == []
    files.state.write(record)
    shutil.rmtree(tmp_path / "home")
    assert [found.why for found in of_labs(Silent())] == ["none of its machines runs"]


def test_state_without_a_record_is_left_over() -> None:
    LabState("begun").make()
    (found,) = of_labs(Silent())
    assert "no record" in found.why
    assert found.remove is not None
    found.remove()
    assert known_labs() == []


def test_a_lab_that_another_command_is_at_work_on_is_left_out(tmp_path: Path) -> None:
    state("busy", tmp_path / "busy")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        with LabState("busy").lock("up"):
            os.write(write, b"x")
            time.sleep(60)
        os._exit(0)
    try:
        os.read(read, 1)
        assert of_labs(Silent()) == []
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert len(of_labs(Silent())) == 1


def test_images_that_were_long_not_used() -> None:
    artefact("new.tar", days=1)
    old = artefact("old.tar", days=40)
    (found,) = of_cache(30)
    assert told([found]) == [("image", "rootfs/old.tar", "not used for 40 days")]
    assert found.size >= 10_000
    assert found.remove is not None
    found.remove()
    assert not old.exists()
    assert (cache_folder() / "rootfs" / "new.tar").exists()


def test_an_image_that_a_lab_may_stand_on_stays(tmp_path: Path) -> None:
    artefact("old.tar", days=40)
    state("lab", tmp_path / "lab")
    assert of_cache(30) == []


def test_what_an_interrupted_build_left() -> None:
    scratch = cache_folder() / "rootfs" / "abc.tar.partial"
    scratch.mkdir(parents=True)
    (found,) = of_cache(30)
    assert found.why == "its build was interrupted"
    assert found.remove is not None
    found.remove()
    assert not scratch.exists()


def test_runs_beyond_their_time_and_damaged_histories() -> None:
    for _ in range(3):
        Runs("demo").begin().close()
    (Runs("demo").folder / "history.sqlite3.damaged-20260101T000000Z").touch()
    found = of_runs(2, 90)
    assert [one.kind for one in found] == ["run", "history"]
    for one in found:
        assert one.remove is not None
        one.remove()
    assert len(Runs("demo").all()) == 2
    assert of_runs(2, 90) == []


def test_labs_lists_those_with_state_and_those_with_runs_alone(tmp_path: Path) -> None:
    state("made", tmp_path / "made")
    state("gone", tmp_path / "gone")
    for file in (tmp_path / "gone").iterdir():
        file.unlink()
    (tmp_path / "gone").rmdir()
    Runs("past").begin().close()
    listed = {lab.name: lab for lab in labs()}
    assert list(listed) == ["gone", "made", "past"]
    assert listed["made"].folder_exists
    assert not listed["gone"].folder_exists
    assert listed["past"].runs == 1
    assert listed["past"].machines == "none"


def test_finding_changes_nothing(tmp_path: Path) -> None:
    artefact("old.tar", days=400)
    state("dead", tmp_path / "dead")
    before = sorted(tmp_path.rglob("*"))
    of_labs(Silent())
    of_cache(30)
    of_runs(1, 1)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("verb", ["labs", "gc"])
def test_the_verbs_have_nothing_to_say_of_nothing(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    from clusterlab.cli.main import main

    main(["clusterlab", verb])
    assert capsys.readouterr().out in ("No lab is known here.\n", "Nothing is left over.\n")

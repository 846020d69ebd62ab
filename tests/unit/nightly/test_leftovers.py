from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from clusterlab.build.cache import cache_folder
from clusterlab.errors import ClusterlabError
from clusterlab.machines.namespaces.machines import NamespacesMachines
from clusterlab.machines.paths import known_labs
from clusterlab.machines.record import Record
from clusterlab.machines.state import LabState
from clusterlab.model import load_inventory
from clusterlab.nightly.labs import labs
from clusterlab.nightly.leftovers import Leftover, of_cache, of_labs, of_runs
from clusterlab.nightly.runs import Runs
from clusterlab.progress import Progress, Silent

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
    LabState(name).write(Record.of(lab.inventory, folder))


def told(found: list[Leftover]) -> list[tuple[str, str, str]]:
    return [(one.kind, one.name, one.why) for one in found]


def artefact(name: str, days: float) -> Path:
    path = cache_folder() / "rootfs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 10_000)
    moment = time.time() - days * 86400
    os.utime(path, (moment, moment))
    return path


def age(name: str, days: float) -> None:
    """Let nothing in a lab's state have changed for so long."""
    moment = time.time() - days * 86400
    folder = LabState(name).folder
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (moment, moment))


def change_record(name: str, **values: object) -> None:
    file = LabState(name).folder / "record.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_a_lab_that_is_merely_switched_off_is_never_left_over(tmp_path: Path) -> None:
    """As after a reboot of the workstation."""
    state("off", tmp_path / "off")
    age("off", 400)
    assert of_labs(30, Silent()) == []


def test_a_lab_whose_folder_is_gone_is_left_over_after_a_while_and_goes_through_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state("dead", tmp_path / "dead")
    shutil.rmtree(tmp_path / "dead")
    (found,) = of_labs(30, Silent())
    assert "is gone; it was used 0 days ago" in found.why
    assert found.remove is None, "its folder may be on a disk that is not mounted just now"
    age("dead", 40)
    (found,) = of_labs(30, Silent())
    assert told([found]) == [("lab", "dead", f"its folder {tmp_path / 'dead'} is gone")]
    assert found.remove is not None
    downs: list[str] = []
    down = NamespacesMachines.down

    def counted(self: NamespacesMachines, progress: Progress) -> None:
        downs.append("dead")
        down(self, progress)

    monkeypatch.setattr(NamespacesMachines, "down", counted)
    found.remove()
    assert known_labs() == []
    assert downs == ["dead"]


def test_a_lab_that_came_back_meanwhile_is_not_removed(tmp_path: Path) -> None:
    state("dead", tmp_path / "dead")
    shutil.rmtree(tmp_path / "dead")
    age("dead", 40)
    (found,) = of_labs(30, Silent())
    (tmp_path / "dead").mkdir()
    assert found.remove is not None
    with pytest.raises(ClusterlabError, match="no longer left over"):
        found.remove()
    assert known_labs() == ["dead"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"inventory": {"lab": "old", "colour": "red"}}, "cannot be read, perhaps because another version"),
        ({"form": 99}, "was created by a newer clusterlab"),
    ],
)
def test_a_record_that_cannot_be_read_is_reported_and_never_removed(
    changed: dict[str, object], said: str, tmp_path: Path
) -> None:
    state("old", tmp_path / "old")
    disk = LabState("old").host_folder("host1") / "disk.qcow2"
    disk.parent.mkdir(parents=True)
    disk.write_text("precious")
    shutil.rmtree(tmp_path / "old")
    change_record("old", **changed)
    age("old", 400)
    (found,) = of_labs(30, Silent())
    assert said in found.why
    assert found.remove is None
    main_ended(["gc", "--remove"])
    assert disk.read_text() == "precious"


@pytest.mark.parametrize("other", [{"machine_id": "another"}, {"user": "bob"}])
def test_a_lab_of_another_workstation_or_user_is_left_alone(other: dict[str, object], tmp_path: Path) -> None:
    state("theirs", tmp_path / "theirs")
    shutil.rmtree(tmp_path / "theirs")
    change_record("theirs", **other)
    age("theirs", 400)
    assert of_labs(30, Silent()) == []


def test_state_without_a_record_is_removed_only_when_it_is_empty() -> None:
    LabState("begun").make()
    (found,) = of_labs(30, Silent())
    assert "its state is empty" in found.why
    assert found.remove is not None
    (LabState("begun").folder / "hosts").mkdir()
    (kept,) = of_labs(30, Silent())
    assert "no record" in kept.why
    assert kept.remove is None
    (LabState("begun").folder / "hosts").rmdir()
    found.remove()
    assert known_labs() == []


def main_ended(words: list[str]) -> None:
    from clusterlab.cli.main import main

    main(["clusterlab", *words])


def test_a_lab_that_another_command_is_at_work_on_is_left_out(tmp_path: Path) -> None:
    state("busy", tmp_path / "busy")
    shutil.rmtree(tmp_path / "busy")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        with LabState("busy").lock("up"):
            os.write(write, b"x")
            time.sleep(60)
        os._exit(0)
    try:
        os.read(read, 1)
        assert of_labs(30, Silent()) == []
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert len(of_labs(30, Silent())) == 1


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
    change_record("lab", form=99)
    assert of_cache(30) == []


def test_an_image_that_a_process_uses_stays() -> None:
    """The lab of a running machine may be in another state folder: the kernel knows."""
    old = artefact("old.tar", days=40)
    with old.open():
        assert of_cache(30) == []
    (found,) = of_cache(30)
    assert found.remove is not None
    with old.open(), pytest.raises(ClusterlabError, match="in use again"):
        found.remove()
    assert old.exists()


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
    of_labs(30, Silent())
    of_cache(30)
    of_runs(1, 1)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("verb", ["labs", "gc"])
def test_the_verbs_have_nothing_to_say_of_nothing(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    from clusterlab.cli.main import main

    main(["clusterlab", verb])
    assert capsys.readouterr().out in ("No lab is known on this workstation.\n", "Nothing is left over.\n")

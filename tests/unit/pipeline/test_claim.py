"""One lab name belongs to one checkout, one user and one workstation: others get an error."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from clusterlab.cli.main import main
from clusterlab.machines.paths import state_home
from clusterlab.machines.record import SCHEMA_VERSION, Record
from clusterlab.machines.state import LabState
from clusterlab.model import load_inventory
from clusterlab.pipeline.claim import claim

INVENTORY = """\
lab: shop
machines: namespaces
network: {subnet: 10.231.0.0/24}
hosts:
  host1: {address: 10.231.0.11, roles: [docker]}
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def checkout(folder: Path, machines: str = "namespaces") -> Path:
    (folder / "inventory").mkdir(parents=True)
    (folder / "inventory" / "default.yml").write_text(INVENTORY.replace("namespaces", machines))
    (folder / "playbooks").mkdir()
    shell = {"title": "p", "checks": [{"title": "c", "command": {"on": "host1", "run": "id"}}]}
    (folder / "playbooks" / "p.yml").write_text(json.dumps(shell))
    return folder


def made(folder: Path) -> None:
    """As `up` leaves the state of a checkout's lab."""
    lab = load_inventory(folder / "inventory" / "default.yml")
    LabState("shop").write(Record.of(lab.inventory, lab.folder))
    disk = LabState("shop").host_folder("host1") / "disk"
    disk.parent.mkdir(parents=True)
    disk.write_text("precious")


def snapshot() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in state_home().rglob("*") if path.is_file()}


def error_of(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", *words.split()])
    assert ended.value.code == 3
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("verb", ["up", "down", "status", "apply", "plan", "check", "run", "clean", "provision", "ssh"])
def test_the_same_name_in_two_checkouts(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = checkout(tmp_path / "first"), checkout(tmp_path / "second")
    made(first)
    before = snapshot()
    monkeypatch.chdir(second)
    said = error_of(verb, capsys)
    assert f"lab shop belongs to {first}/inventory, and this inventory is in {second}/inventory" in said
    assert "nothing was touched" in said
    assert "`clusterlab up --moved`" in said
    assert snapshot() == before


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"user": "bob"}, "lab shop was created by another user, bob@"),
        ({"machine_id": "x", "workstation": "desk"}, "lab shop was created on another workstation, by"),
    ],
)
@pytest.mark.parametrize("words", ["up", "down", "down --lab shop", "status", "apply", "check"])
def test_the_same_name_of_another_user_or_workstation(
    words: str,
    other: dict[str, str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = checkout(tmp_path / "mine")
    made(folder)
    file = LabState("shop").folder / "record.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **other}))
    before = snapshot()
    monkeypatch.chdir(folder)
    assert said in error_of(words, capsys)
    assert snapshot() == before


def test_a_checkout_that_was_moved_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = checkout(tmp_path / "first")
    made(first)
    moved = tmp_path / "moved"
    shutil.move(first, moved)
    lab = load_inventory(moved / "inventory" / "default.yml")
    with pytest.raises(Exception, match="a folder that no longer exists"):
        claim(lab)
    claim(lab, write=True, moved=True)
    claim(lab)
    record = LabState("shop").read()
    assert record is not None
    assert (record.folder, record.file) == (moved / "inventory", moved / "inventory" / "default.yml")


def test_a_checkout_reached_through_a_link_is_the_same(tmp_path: Path) -> None:
    made(checkout(tmp_path / "first"))
    (tmp_path / "link").symlink_to(tmp_path / "first")
    claim(load_inventory(tmp_path / "link" / "inventory" / "default.yml"), write=True)


def test_existing_machines_get_a_record_with_the_first_command_that_changes_them(tmp_path: Path) -> None:
    lab = load_inventory(checkout(tmp_path / "first", "existing") / "inventory" / "default.yml")
    claim(lab)
    assert LabState("shop").read() is None
    claim(lab, write=True)
    record = LabState("shop").read()
    assert record is not None
    assert record.is_mine
    assert record.file == tmp_path / "first" / "inventory" / "default.yml"


def test_a_record_that_cannot_be_read_is_reported_and_down_works_with_the_inventory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = checkout(tmp_path / "first")
    made(folder)
    file = LabState("shop").folder / "record.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "inventory": {"lab": "shop", "colour": "red"}}))
    monkeypatch.chdir(folder)
    for words in ("status", "down --lab shop"):
        assert "cannot be read, perhaps because another version" in error_of(words, capsys)
    main(["clusterlab", "down"])
    assert not LabState("shop").folder.exists()


def test_down_removes_nothing_of_a_lab_that_a_newer_version_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = checkout(tmp_path / "first")
    made(folder)
    file = LabState("shop").folder / "record.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "form": SCHEMA_VERSION + 1}))
    before = snapshot()
    monkeypatch.chdir(folder)
    for words in ("down --lab shop", "down", "down -i inventory/default.yml"):
        assert "lab shop was created by a newer clusterlab" in error_of(words, capsys)
    assert snapshot() == before

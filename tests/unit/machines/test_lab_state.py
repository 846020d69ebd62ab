"""What is remembered of a lab, and its lock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.machines import recall_machines
from clusterlab.machines.keys import LabKeys
from clusterlab.machines.record import Record
from clusterlab.machines.state import LabState
from clusterlab.model.inventory import Inventory

INVENTORY = Inventory.model_validate({"lab": "demo", "hosts": {"a": {"address": "192.168.98.2"}}})
HOLD = """
import sys
from clusterlab.machines.state import LabState
with LabState("demo").lock("apply"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabState:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return LabState("demo")


def test_the_record_comes_back_as_it_was(state: LabState) -> None:
    assert state.read() is None
    record = Record(kind="namespaces", inventory=INVENTORY, folder=Path("/labs"), ports={"a": 2201})
    state.write(record)
    assert state.read() == record
    assert state.folder.stat().st_mode & 0o777 == 0o700
    state.remove()
    assert state.read() is None
    assert not state.folder.exists()


def test_a_newer_or_broken_record_is_no_crash(state: LabState) -> None:
    state.make()
    (state.folder / "record.json").write_text('{"form": 99}')
    with pytest.raises(ClusterlabError, match="created by a newer clusterlab"):
        state.read()
    (state.folder / "record.json").write_text("{")
    with pytest.raises(ClusterlabError, match="cannot be read"):
        state.read()


def test_an_unknown_lab_is_said(state: LabState) -> None:
    with pytest.raises(ClusterlabError, match="no lab demo is known here"):
        recall_machines("demo")


def test_the_lock_names_its_holder_and_ends_with_it(state: LabState) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(ClusterlabError) as caught, state.lock("up"):
        pass
    assert caught.value.message == f"lab demo: another clusterlab is at work on it: apply, process {holder.pid}"
    holder.kill()
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has taken notice of that yet
    with state.lock("up"), state.lock("up"):  # a command may take its own lock again
        assert state.folder.with_name("demo.lock").read_text() == f"{os.getpid()} up\n"
    assert not state.folder.with_name("demo.lock").exists()
    holder.communicate()


def test_keys_stay_and_are_private(state: LabState) -> None:
    keys = LabKeys(state.folder, "demo")
    first = keys.user.read_text()
    assert keys.user.stat().st_mode & 0o777 == 0o600
    assert LabKeys(state.folder, "demo").user.read_text() == first
    keys.write_known_hosts(["a", "b"])
    lines = keys.known_hosts.read_text().splitlines()
    assert [line.split()[:2] for line in lines] == [["a.demo", "ssh-ed25519"], ["b.demo", "ssh-ed25519"]]
    assert lines[0].split()[2] != lines[1].split()[2]


@pytest.mark.parametrize("theirs", ["link", "writable"])
def test_a_folder_that_somebody_else_prepared_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: str
) -> None:
    """As when XDG_STATE_HOME is in /tmp: private keys would go there."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = LabState("demo").folder
    folder.parent.mkdir(parents=True)
    if theirs == "link":
        (tmp_path / "elsewhere").mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.mkdir()
        folder.chmod(0o777)
    with pytest.raises(ClusterlabError, match="clusterlab does not use it"):
        LabState("demo").write(Record(kind="namespaces", inventory=INVENTORY, folder=Path("/labs")))

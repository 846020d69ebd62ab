"""A Vagrant that hangs is ended, with what it last printed in the error and in the lab's log."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.errors import DeadlineExceeded
from clusterlab.machines.vagrant import program
from clusterlab.machines.vagrant.program import Vagrant
from clusterlab.model.inventory import Inventory
from tests.support.hanging import hang, remains

INVENTORY = Inventory.model_validate(
    {"lab": "demo", "machines": "vagrant", "hosts": {"gw": {"address": "192.168.98.1"}}}
)


@pytest.fixture
def vagrant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vagrant:
    monkeypatch.setattr(program, "_CLEANING_UP", 0.5)
    found = Vagrant(tmp_path, INVENTORY, tmp_path / "vagrant.log")
    found.silence = 0.5
    return found


def test_a_command_that_falls_silent(vagrant: Vagrant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = hang("vagrant", tmp_path, monkeypatch)
    with pytest.raises(DeadlineExceeded) as raised:
        vagrant.run("up")
    assert "`vagrant up --machine-readable` printed nothing for 0.5 s, and was ended" in raised.value.message
    assert "waiting for the mirror" in raised.value.detail
    assert "waiting for the mirror" in (tmp_path / "vagrant.log").read_text()
    assert remains(marker) == ""


def test_a_question_that_is_not_answered(vagrant: Vagrant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = hang("vagrant", tmp_path, monkeypatch)
    with pytest.raises(DeadlineExceeded, match=r"`vagrant ssh-config` did not end within 0.5 s"):
        vagrant.text("ssh-config")
    assert remains(marker) == ""


def test_the_limit_is_beyond_what_a_machine_may_take_to_boot() -> None:
    assert Vagrant(Path(), INVENTORY, Path("none")).silence > 900

"""The state folder that an earlier version has written: its lab, its nightly runs and their history are understood.

`recorded_state/` was written by the version of 24 November 2026, before records named their user and workstation: a lab
of three virtual machines, and two nightly runs, the second with a failure.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clusterlab.cli.main import main
from clusterlab.machines.state import LabState
from clusterlab.nightly.record import history
from clusterlab.nightly.runs import Runs
from clusterlab.results import Outcome

RECORDED = Path(__file__).parent / "recorded_state"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(RECORDED, tmp_path / "state")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def shown(capsys: pytest.CaptureFixture[str], words: str) -> str:
    """What a command prints, with single spaces."""
    main(["clusterlab", *words.split()])
    return " ".join(capsys.readouterr().out.split())


def test_the_record_of_a_lab_is_read_and_is_this_user_s() -> None:
    record = LabState("demo").read()
    assert record is not None
    assert (record.kind, record.ports["host2"], record.user) == ("qemu", 2203, "")
    assert record.is_mine
    assert list(record.inventory.hosts) == ["gw", "host1", "host2"]


def test_the_lab_is_listed_and_brought_down(capsys: pytest.CaptureFixture[str]) -> None:
    assert "demo qemu 3 absent /home/admin/lab/inventory (gone) 2 fail" in shown(capsys, "labs")
    assert "host1 absent" in shown(capsys, "down --lab demo --dry-run")
    main(["clusterlab", "down", "--lab", "demo"])
    assert not LabState("demo").folder.exists()


def test_nightly_runs_and_their_history_are_shown_and_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "history --lab demo")
    assert "volumes/nfs: it works failing since 2026-03-01 03:00 UTC, 1 runs" in text
    assert "new failure volumes/nfs: it works" in shown(capsys, "report --lab demo --compare 1 2")
    runs = Runs("demo")
    assert [run.read().results[0].outcome for run in runs.all()] == [Outcome.PASS, Outcome.FAIL]
    with history(runs) as past:
        assert [run.number for run in past.runs(9)] == [1, 2]
        assert past.notes == []

"""The lock of a lab on one workstation."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from clusterlab.machines import lab_lock
from clusterlab.machines.lab_lock import LabBusy, locked


def test_a_command_may_take_its_lock_again(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path, "shop", "run"):
        with locked(path, "shop", "apply"):
            pass
        assert path.exists()
    assert not path.exists()
    with locked(path, "shop", "run"):
        pass


def test_a_process_of_another_container_with_the_same_id_is_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab_lock, "_LET_GO_SECONDS", 0.1)
    path = tmp_path / "lock"
    with path.open("a+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(f"{os.getpid()} apply\n")
        other.flush()
        with pytest.raises(LabBusy), locked(path, "shop", "run"):
            pass

"""Processes of a lab in namespaces: in which order they are killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.machines.namespaces import processes


def test_process_1_of_a_host_is_killed_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its number may be the highest, as the kernel begins anew after the last; a container has a process 1, too."""
    numbers = {20: ["20", "57"], 30: ["30", "60", "1"], 40: ["40", "1"]}
    there, killed = set(numbers), list[int]()

    def kill(pid: int, lab_folder: Path) -> None:
        killed.append(pid)
        there.discard(pid)

    monkeypatch.setattr(processes, "_numbers", numbers.__getitem__)
    monkeypatch.setattr(processes, "find", lambda lab_folder, hosts=(): sorted(there))
    monkeypatch.setattr(processes, "kill", kill)
    assert processes.kill_all(tmp_path, 1.0) == []
    assert killed == [40, 20, 30]

"""What is read of the mounts of tasks, whatever their paths are called."""

from __future__ import annotations

from typing import Any, cast

import pytest

from clusterlab.checks.kinds import task_mount
from clusterlab.checks.places import Places
from clusterlab.checks.swarm_task import Task
from clusterlab.remote.completed import Completed

PRINTED = """\
pid 41
path /proc/41/root/run/app.pid
overlay / overlay rw 0 0
tmpfs /run/app.pid tmpfs rw 0 0
pid /inode tmpfs rw 0 0
inode 7
pid 42
path /proc/42/root/run/app.pid
overlay / overlay rw 0 0
inode 8
"""


def test_a_mount_that_is_called_as_what_separates_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [Task("app", "host1", f"app.{pid}", pid, "id", {}) for pid in (41, 42)]
    monkeypatch.setattr(
        task_mount, "run_for", lambda *words, timeout: Completed("host1", "", 0, PRINTED, "", seconds=0.0)
    )
    probe = task_mount.TaskMountProbe(service="app", path="/run/app.pid")
    seen: dict[Task, Any] = dict(task_mount._look(probe, tasks, cast(Places, None)))
    assert [(seen[task].mount and seen[task].mount.type, seen[task].inode) for task in tasks] == [
        ("tmpfs", "7"),
        (None, "8"),
    ]

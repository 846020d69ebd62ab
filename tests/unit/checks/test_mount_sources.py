"""Sources and options of mounts: what is compared, and what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from clusterlab.checks.kinds import bind_source, task_mount
from clusterlab.checks.place import NotUnderstood, Place
from clusterlab.remote.completed import Completed
from tests.unit.checks.service_lab import places, task


def looked(monkeypatch: pytest.MonkeyPatch, kind: Any, keys: Mapping[str, object], printed: str) -> Any:
    """What a kind about mounts reads from what its script prints on a host."""
    monkeypatch.setattr(kind, "run_for", lambda *_, **__: Completed("host1", "", 0, printed, "", 0.0))
    probe = kind.KIND.model.model_validate({"service": "web", **keys})
    return kind._look(probe, [task()], places())


@pytest.mark.parametrize("above", ["", "above ", "above \nabove "])
def test_a_source_of_which_no_mount_is_known_is_not_compared(monkeypatch: pytest.MonkeyPatch, above: str) -> None:
    """There is no findmnt, or it did not end."""
    with pytest.raises(NotUnderstood, match="host1 does not report what is mounted above /srv/web"):
        looked(monkeypatch, bind_source, BIND, f"{above}\nfile 1:2\nwanted /srv\ntask 47 1:2\n")


def test_a_source_with_its_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    node = looked(monkeypatch, bind_source, BIND, "above /\nfile 1:2\nwanted /srv\ntask 47 1:2\n")
    assert (node.above, node.file, node.wanted, node.tasks) == ("/", "1:2", {"/srv"}, {task(): "1:2"})
    assert not looked(monkeypatch, bind_source, BIND, "above \nfile \ntask 47 \n").file  # it does not exist


BIND = {"source": "/srv/web", "path": "/data"}
MOUNTS = "overlay / overlay rw 0 0\ntmpfs /run/cache tmpfs rw 0 0\n"


@pytest.mark.parametrize(
    ("path", "resolved", "mounted"),
    [
        ("/run/cache", "/proc/47/root/run/cache", True),
        ("/var/run/cache", "/proc/47/root/run/cache", True),
        ("/run/cache", "", True),  # it could not be resolved in time
        ("/run", "/proc/47/root/run", False),
    ],
)
def test_a_mount_is_that_of_the_path_without_links(
    monkeypatch: pytest.MonkeyPatch, path: str, resolved: str, mounted: bool
) -> None:
    printed = f"pid 47\npath {resolved}\n{MOUNTS}inode 9\n"
    seen = looked(monkeypatch, task_mount, {"path": path}, printed)[task()]
    assert ((seen.mount is not None), seen.inode) == (mounted, "9")


def test_options_of_a_volume_that_nobody_asked_for_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"type": "cifs", "device": "//nas/files", "o": "credentials hunter2"}
    monkeypatch.setattr(task_mount, "report_of", lambda kind, name, place, places: {"Options": options})
    asked = {"type": "cifs", "device": "//nas/files"}
    probe = task_mount.TaskMountProbe(service="web", path="/files", volume="files", driver_opts=asked)
    found = task_mount._options(probe, Place("host1"), places())
    assert found.evidence.holds
    assert found.evidence.found == "volume files with type cifs, device //nas/files"
    assert "hunter2" not in str(found.evidence)

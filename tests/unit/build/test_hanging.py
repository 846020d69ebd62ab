"""A build whose program hangs ends with what that last printed, and leaves no process."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.build import machine_image, rootfs
from clusterlab.errors import DeadlineExceeded
from clusterlab.progress import Silent
from tests.support.hanging import hang, remains


def test_mmdebstrap_that_falls_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = hang("mmdebstrap", tmp_path, monkeypatch)
    monkeypatch.setattr(rootfs, "SILENCE", 0.5)
    monkeypatch.setattr(rootfs, "GRACE", 0.5)
    monkeypatch.setattr(rootfs, "_require_tools", lambda: None)
    with Silent().task("rootfs", "building") as task, pytest.raises(DeadlineExceeded) as raised:
        rootfs.run_mmdebstrap(tmp_path / "root.tar", release="trixie", packages=[], task=task)
    assert "printed nothing for 0.5 s" in raised.value.message
    assert raised.value.detail == "waiting for the mirror"
    assert "mirrors reachable" in raised.value.remedy
    assert remains(marker) == ""


def test_a_tool_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = hang("mkfs.ext4", tmp_path, monkeypatch)
    monkeypatch.setattr(machine_image, "TOOL_SECONDS", 0.5)
    with pytest.raises(DeadlineExceeded) as raised:
        machine_image.run_tool(["mkfs.ext4", "-q", "disk.img"])
    assert "`mkfs.ext4 -q disk.img` did not end within 0.5 s" in raised.value.message
    assert raised.value.detail == "unpacking\nwaiting for the mirror"
    assert remains(marker) == ""

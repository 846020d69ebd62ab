"""The files of a host in namespaces, also when writing them was interrupted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clusterlab.machines.keys import LabKeys
from clusterlab.machines.namespaces.host_files import HostFiles
from tests.support.labs import namespaces_lab


class Killed(BaseException):
    """In place of the signal that ends a process."""


def _prepare(folder: Path, keys: LabKeys, monkeypatch: pytest.MonkeyPatch, files: int | None = None) -> bool:
    """Write a host's files; with `files`, be killed before the one after so many. Whether all were written."""
    opened, really_open = 0, os.open

    def limited(*args: object, **more: object) -> int:
        nonlocal opened
        opened += 1
        if files is not None and opened > files:
            raise Killed
        return really_open(*args, **more)  # type: ignore[arg-type]

    host = HostFiles("host1", namespaces_lab("life", "10.62.0.0/24").inventory, folder)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", limited)
        try:
            host.prepare(keys)
        except Killed:
            return False
    return True


def _files(folder: Path) -> dict[str, str]:
    """What was written, without the identity that is new each time."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): "" if path.name == "machine-id" else path.read_text() for path in paths}


def test_a_start_that_was_killed_anywhere_is_completed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = LabKeys(tmp_path, "life")
    _prepare(tmp_path / "whole", keys, monkeypatch)
    whole = _files(tmp_path / "whole")
    assert {f"upper/etc/clusterlab/enabled/{name}" for name in ("ssh", "containerd", "docker")} <= set(whole)
    files = 0
    while not _prepare(tmp_path / str(files), keys, monkeypatch, files):
        _prepare(tmp_path / str(files), keys, monkeypatch)
        assert _files(tmp_path / str(files)) == whole, f"killed after {files} files"
        files += 1
    assert files > 10

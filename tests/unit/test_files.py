from __future__ import annotations

import os
from pathlib import Path

import pytest

from clusterlab.files import write_atomically


def test_a_file_is_replaced_whole_for_its_user_alone_whatever_the_umask_is(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text("old")
    file.chmod(0o644)
    before = os.umask(0)
    try:
        write_atomically(file, "größer")
    finally:
        os.umask(before)
    assert file.read_text(encoding="utf-8") == "größer"
    assert file.stat().st_mode & 0o777 == 0o600
    write_atomically(file, b"\0\1", mode=0o644)
    assert file.read_bytes() == b"\0\1"
    assert file.stat().st_mode & 0o777 == 0o644
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_link_prepared_under_a_guessed_temporary_name_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    for guess in ("report.json.partial", f".report.json.{os.getpid()}.new", ".report.json.new"):
        (tmp_path / guess).symlink_to(victim)
    write_atomically(tmp_path / "report.json", "new")
    assert victim.read_text() == "untouched"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "report.json"
    file.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(file, "new")
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.json"]

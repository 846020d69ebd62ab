"""Collected logs: clean, private, and kept when collecting fails half-way."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.collecting import collecting
from clusterlab.errors import ClusterlabError
from clusterlab.redaction import REDACTED


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")}


def test_logs_are_cleaned_and_private(tmp_path: Path) -> None:
    with collecting(tmp_path / "new" / "logs") as logs:
        (logs.folder / "host1").mkdir()
        (logs.folder / "host1" / "console.log").write_bytes(b"\x1b]0;x\x07 password=hunter2\r\ntoken: abcdef \xff\n")
        assert logs.folder.stat().st_mode & 0o777 == 0o700
    log = tmp_path / "new" / "logs" / "host1" / "console.log"
    assert log.read_text() == f" password={REDACTED}\ntoken: {REDACTED} \ufffd\n"
    assert str(logs) == "1 file, 2 secrets redacted"
    assert modes(tmp_path) == {
        "new": 0o700,
        "new/logs": 0o700,
        "new/logs/host1": 0o700,
        "new/logs/host1/console.log": 0o600,
    }


def test_other_files_of_the_folder_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("password=mine")
    with collecting(tmp_path) as logs:
        (logs.folder / "log").write_text("one")
    assert (tmp_path / "notes").read_text() == "password=mine"
    assert {path.name for path in tmp_path.iterdir()} == {"notes", "log"}


def collect_half(target: Path) -> None:
    with collecting(target) as logs:
        (logs.folder / "one").write_text("password=hunter2")
        raise ClusterlabError("host2 does not answer")


def test_what_was_collected_before_a_failure_is_kept_clean(tmp_path: Path) -> None:
    with pytest.raises(ClusterlabError, match="host2 does not answer"):
        collect_half(tmp_path / "logs")
    assert (tmp_path / "logs" / "one").read_text() == f"password={REDACTED}"
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ClusterlabError, match="logs cannot be written"), collecting(tmp_path / "file" / "logs"):
        pass

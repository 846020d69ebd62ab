"""Every rejected input: a folder of files below errors/, and the exact message in expected.txt.

A new case is a new folder with inventory.yml and plays (any other .yml file). `CLUSTERLAB_REGENERATE=1 pytest FILE`
rewrites expected.txt: read the difference before you keep it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from clusterlab.model import InvalidFiles, load_lab

CASES = Path(__file__).parent / "errors"


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir()))
def test_message(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "playbooks").mkdir()
    for file in (CASES / name).iterdir():
        if file.name.startswith("inven"):
            shutil.copy(file, tmp_path)
        elif file.name != "expected.txt":
            shutil.copy(file, tmp_path / "playbooks")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidFiles) as caught:
        load_lab(Path("inventory.yml"))
    expected = CASES / name / "expected.txt"
    if os.environ.get("CLUSTERLAB_REGENERATE"):
        expected.write_text(f"{caught.value}\n")
    assert f"{caught.value}\n" == expected.read_text()
    assert caught.value.exit_code == 2
    for word in ("pydantic", "validation error", "Input should", "Value error", "https://errors"):
        assert word not in str(caught.value)

"""Every statement of every play fails in a case that breaks the lab, but for those that say why not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_statement_is_broken_by_a_case() -> None:
    argv = [sys.executable, "-m", "tests.bench.broken"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "160"}
    ended = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "30 plays" in ended.stdout
    assert "volumes/nfs" in ended.stdout
    assert "export-removed" in ended.stdout

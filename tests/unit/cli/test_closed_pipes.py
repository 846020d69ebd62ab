"""`clusterlab ... | head`: no verb ends with a traceback when nobody reads its output any more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("words", ["--help", "run --help", "schema", "validate", "labs", "gc", "chekc"])
@pytest.mark.parametrize("both", [False, True], ids=["stdout", "stdout and stderr"])
def test_a_closed_pipe_changes_nothing_but_what_is_read(words: str, both: bool, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from clusterlab.cli.main import main; main()", *words.split()]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    whole = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    read, write = os.pipe()
    os.close(read)
    stderr = write if both else subprocess.PIPE
    cut = subprocess.run(command, cwd=ROOT, env=environment, stdout=write, stderr=stderr, check=False)
    os.close(write)
    assert cut.returncode == whole.returncode
    if not both:
        assert cut.stderr == whole.stderr

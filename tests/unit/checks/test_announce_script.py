"""The script with which a place waits for new names, with look-ups that take their time."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from clusterlab.checks.kinds.announce import _SCRIPT


def test_no_look_up_outlives_the_script(tmp_path: Path) -> None:
    """It removes the folder to which they write."""
    slow = f"mkdir {tmp_path}/first.$1 2> /dev/null && sleep 0.3 || sleep 1"
    look_up = f": > {tmp_path}/begun.$$; {slow}; : > {tmp_path}/ended.$$; echo Name: $1"
    for name, text in (("nslookup", look_up), ("usleep", "sleep 0.01")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    folder = tmp_path / "work"
    folder.mkdir()
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(folder)}
    command = ["sh", "-c", _SCRIPT, "sh", "2000", "clusterlab-new-a", "clusterlab-new-b"]
    with (tmp_path / "printed").open("w") as printed:  # a pipe would be open as long as a look-up lives
        subprocess.run(command, env=environment, stdout=printed, timeout=60, check=True)
    said = (tmp_path / "printed").read_text()
    assert {line.split()[0] for line in said.splitlines()} == {"clusterlab-new-a", "clusterlab-new-b"}
    begun, ended = ({one.suffix for one in tmp_path.glob(f"{what}.*")} for what in ("begun", "ended"))
    assert begun == ended
    assert not list(folder.iterdir())

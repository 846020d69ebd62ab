"""The script with which a place waits for new names, with look-ups that take their time."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from clusterlab.checks.kinds.announce import _SCRIPT

ADDRESS = "10.0.1.5"


def answer(address: str) -> str:
    """What BusyBox's nslookup prints, as a shell command."""
    return f"printf 'Server:\\t\\t127.0.0.11\\nAddress:\\t127.0.0.11:53\\n\\nName:\\t%s\\nAddress: {address}\\n' $1"


def install(folder: Path, nslookup: str) -> None:
    for name, text in (("nslookup", nslookup), ("usleep", "sleep 0.01")):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)


@pytest.mark.parametrize(("found", "known"), [(ADDRESS, True), ("198.51.100.1", False), ("10.0.1.55", False)])
def test_only_the_address_of_the_container_counts(tmp_path: Path, found: str, known: bool) -> None:
    """Name servers that answer for any name give an address of their own."""
    install(tmp_path, answer(found))
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    command = ["sh", "-c", _SCRIPT, "sh", "2000" if known else "50", f"clusterlab-new-a={ADDRESS}"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout
    assert said.startswith("clusterlab-new-a ") is known


def test_no_look_up_outlives_the_script(tmp_path: Path) -> None:
    """It removes the folder to which they write."""
    slow = f"mkdir {tmp_path}/first.$1 2> /dev/null && sleep 0.3 || sleep 1"
    look_up = f": > {tmp_path}/begun.$$; {slow}; : > {tmp_path}/ended.$$; {answer(ADDRESS)}"
    install(tmp_path, look_up)
    folder = tmp_path / "work"
    folder.mkdir()
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(folder)}
    command = ["sh", "-c", _SCRIPT, "sh", "2000", f"clusterlab-new-a={ADDRESS}", f"clusterlab-new-b={ADDRESS}"]
    with (tmp_path / "printed").open("w") as printed:  # a pipe would be open as long as a look-up lives
        subprocess.run(command, env=environment, stdout=printed, timeout=60, check=True)
    said = (tmp_path / "printed").read_text()
    assert {line.split()[0] for line in said.splitlines()} == {"clusterlab-new-a", "clusterlab-new-b"}
    begun, ended = ({one.suffix for one in tmp_path.glob(f"{what}.*")} for what in ("begun", "ended"))
    assert begun == ended
    assert not list(folder.iterdir())

"""A kind of resource that another package adds is explained like this package's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "examples" / "resources" / "motd"
INVENTORY = "lab: plain\nmachines: existing\nhosts: {host1: {address: 192.0.2.1, roles: [docker]}}\n"
PLAY = "title: Somewhere to keep things\nvolumes: {data: {}}\n"


@pytest.mark.parametrize("installed", [True, False])
def test_it_is_explained_where_the_package_is_installed(tmp_path: Path, installed: bool) -> None:
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "keep.yml").write_text(PLAY)
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE) if installed else ""}
    argv = [sys.executable, "-m", "clusterlab", "explain", "keep", "-i", "inventory.yml"]
    ended = subprocess.run(
        argv, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    assert "docker volume create" in ended.stdout
    assert ("> /etc/motd.d/clusterlab-plain-keep" in ended.stdout) is installed

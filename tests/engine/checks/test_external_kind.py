"""A kind of check that another package adds is carried out by `clusterlab run`, both ways."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine

PACKAGE = Path(__file__).parents[2] / "examples" / "checks" / "uptime"
INVENTORY = """
lab: external-{pid}
machines: namespaces
network: {{subnet: 10.62.0.0/24}}
hosts: {{host1: {{address: 10.62.0.11, roles: [docker]}}}}
images: {{shell: {{build: busybox}}}}
"""
PLAY = """
title: A kind of another package
containers: {box: {host: host1, image: shell, command: [sleep, infinity]}}
checks:
  - title: host1 and its container were started
    uptime: {on: host1, in: box, at_least: 1s}
  - title: within steps
    steps: [{do: {restart: box}}, {uptime: {in: box, at_least: 1s}}]
  - title: host1 was started before time began
    uptime: {on: host1, at_least: 1000000h}
"""


def test_it_is_run(tmp_path: Path) -> None:
    (tmp_path / "inventory.yml").write_text(INVENTORY.format(pid=os.getpid()))
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "up.yml").write_text(PLAY)
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "XDG_STATE_HOME": str(tmp_path / "state")}

    def clusterlab(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "clusterlab", *words, "-i", "inventory.yml"]
        return subprocess.run(
            argv, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    try:
        ended = clusterlab("run", "--json", "run.json")
        assert ended.returncode == 1, ended.stderr + ended.stdout
        results = json.loads((tmp_path / "run.json").read_text())["results"]
        assert [(one["kind"], one["outcome"]) for one in results] == [
            ("uptime", "pass"),
            ("steps", "pass"),
            ("uptime", "fail"),
        ]
        assert results[2]["evidence"][0]["found"].startswith("up for ")
    finally:
        assert clusterlab("down").returncode == 0

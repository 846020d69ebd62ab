"""A kind of resource that another package adds: planned, created, converged, and removed, on a real host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine

PACKAGE = Path(__file__).parents[2] / "examples" / "resources" / "motd"
INVENTORY = """
lab: {lab}
machines: namespaces
network: {{subnet: 10.63.0.0/24}}
hosts: {{host1: {{address: 10.63.0.11, roles: [docker]}}}}
"""
KEEP = "title: Somewhere to keep things\nvolumes: {volumes}\n"
FILE = "/etc/motd.d/clusterlab-{lab}-keep"
FOREIGN = "/etc/motd.d/clusterlab-notes"


@dataclass
class Bench:
    """A checkout of somebody who has the package, and the lab that it is about."""

    folder: Path
    lab: str

    def play(self, volumes: str) -> None:
        (self.folder / "playbooks" / "keep.yml").write_text(KEEP.format(volumes=volumes))

    def run(self, *words: str, code: int = 0) -> str:
        environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "XDG_STATE_HOME": str(self.folder / "state")}
        argv = [sys.executable, "-m", "clusterlab", *words]
        ended = subprocess.run(
            argv, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout

    def planned(self) -> list[tuple[str, str]]:
        found = json.loads(self.run("plan", "-i", "inventory.yml", "--json", "-"))["changes"]
        return [(one["action"], f"{one['kind']} {one['name']}") for one in found if one["kind"] == "motd"]

    def on_host(self, command: str) -> str:
        return self.run("ssh", "host1", "-i", "inventory.yml", "--", command).strip()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, f"motd-{os.getpid()}")
    (tmp_path / "inventory.yml").write_text(INVENTORY.format(lab=made.lab))
    (tmp_path / "playbooks").mkdir()
    try:
        made.run("up", "-i", "inventory.yml")
        made.run("provision", "-i", "inventory.yml")
        yield made
    finally:
        made.run("down", "-i", "inventory.yml")


def test_it_is_planned_applied_repaired_and_cleaned(bench: Bench) -> None:
    file = FILE.format(lab=bench.lab)
    bench.on_host(f"mkdir -p /etc/motd.d && echo mine > {FOREIGN}")
    bench.play("{data: {}}")
    assert bench.planned() == [("create", "motd keep")]
    bench.run("apply", "-i", "inventory.yml")
    assert bench.on_host(f"cat {file}") == f"Managed by clusterlab: lab {bench.lab}, play keep\nvolume data"
    assert bench.planned() == []

    bench.play("{data: {}, more: {}}")
    assert bench.planned() == [("update", "motd keep")]
    bench.run("apply", "-i", "inventory.yml")
    assert bench.on_host(f"tail -n 1 {file}") == "volume data, volume more"

    bench.run("clean", "-i", "inventory.yml", "--delete-data")
    assert bench.on_host(f"ls {file} 2>/dev/null || echo gone") == "gone"
    assert bench.on_host(f"cat {FOREIGN}") == "mine"

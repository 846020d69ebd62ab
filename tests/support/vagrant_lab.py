"""A lab of Vagrant's machines in a test: the programs as a person calls them, and what libvirt has of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class VagrantLab:
    """A lab in a file, and the programs as a person calls them."""

    name: str
    inventory: Path
    hosts: tuple[str, ...]

    def machine(self, host: str) -> str:
        """What Vagrant calls it."""
        return f"{self.name}-{host}"

    def domain(self, host: str) -> str:
        """What libvirt calls it."""
        return f"clusterlab-{self.machine(host)}"

    def clusterlab(self, verb: str, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "clusterlab", verb, "-i", str(self.inventory), *words]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
        print(f"$ clusterlab {verb} {' '.join(words)}\n{done.stdout}{done.stderr}")
        assert done.returncode == code
        return done

    def vagrant(self, *words: str, code: int = 0) -> str:
        environment = {**os.environ, "CLUSTERLAB_INVENTORY": str(self.inventory)}
        done = subprocess.run(
            ["vagrant", *words], cwd=ROOT / "vagrant", env=environment, capture_output=True, text=True
        )
        print(f"$ vagrant {' '.join(words)}\n{done.stdout}{done.stderr}")
        assert done.returncode == code
        return done.stdout

    def states(self, folder: Path) -> dict[str, str]:
        file = folder / "status.json"
        self.clusterlab("status", "--json", str(file))
        return {host["host"]: host["state"] for host in read(file)["hosts"]}

    def id(self, host: str) -> str:
        """The id of a host's machine: another machine has another one."""
        file = ROOT / "vagrant" / ".vagrant" / "machines" / self.machine(host) / "libvirt" / "id"
        return file.read_text() if file.exists() else ""

    def left(self) -> list[str]:
        """Everything in libvirt that has a name of this lab."""
        things = virsh("list", "--all", "--name") + virsh("net-list", "--all", "--name")
        if "default" in virsh("pool-list", "--name"):
            virsh("pool-refresh", "default")
            things += [line.split()[0] for line in virsh("vol-list", "--pool", "default")]
        return [thing for thing in things if thing.startswith(f"clusterlab-{self.name}")]


def virsh(*words: str) -> list[str]:
    done = subprocess.run(["virsh", "-q", "-c", "qemu:///system", *words], check=True, capture_output=True, text=True)
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def read(file: Path) -> Any:
    return json.loads(file.read_text())


def make_lab(folder: Path, name: str, wanted: dict[str, Any]) -> VagrantLab:
    file = folder / "inventory.yml"
    file.write_text(yaml.safe_dump({**wanted, "lab": name}, sort_keys=False))
    return VagrantLab(name, file, tuple(wanted["hosts"]))

"""Nightly runs on real engines: one lab in namespaces, and an inventory that takes its hosts as existing ones.

So each test can have a state folder of its own (a full one, say), and hosts that nobody starts again.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.machines import Machines, open_machines
from clusterlab.model import Lab
from clusterlab.progress import Silent
from tests.support.labs import namespaces_lab

SUBNET = "10.74.0.0/24"
SLOW = "a slow one"
PLAY = {
    "title": "What a nightly run proves",
    "volumes": {"data": {"hosts": ["host1"]}},
    "containers": {
        "front": {"host": "host1", "image": "shell", "command": ["sleep", "infinity"], "volumes": ["data:/data"]},
        "back": {"host": "host2", "image": "shell", "command": ["sleep", "infinity"]},
    },
    "checks": [
        {"title": "front runs", "command": {"in": "front", "run": "echo hello", "stdout": {"contains": "hello"}}},
        {"title": "back runs", "command": {"in": "back", "run": "echo hello", "stdout": {"contains": "hello"}}},
        {"title": "host1 reaches host2", "ping": {"on": "host1", "to": "host2"}},
        {
            "title": "host2 says its name",
            "command": {"on": "host2", "run": "hostname", "stdout": {"contains": "host2"}},
        },
    ],
}


@dataclass
class ThreeHosts:
    """Three hosts that are up, and how they are reached."""

    lab: Lab
    machines: Machines
    folder: Path


@dataclass
class NightlyLab:
    """The command line in a folder of its own, with a state folder of its own."""

    folder: Path
    state: Path
    machines: Machines
    environment: dict[str, str] = field(default_factory=dict)
    patience: float = 240  # seconds for a command to end
    python: str = sys.executable  # of the environment in which clusterlab is installed

    @property
    def runs(self) -> Path:
        return self.state / "clusterlab" / "runs" / "existing-nightly"

    def start(self, *words: str, first: str = "") -> subprocess.Popen[str]:
        """Start the program; `first` is Python code that is run in its process before it."""
        command = [self.python, "-c", f"{first}\nfrom clusterlab.cli.main import main; main()", *words]
        environment = {**os.environ, "XDG_STATE_HOME": str(self.state), "COLUMNS": "200", **self.environment}
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        with self.start(*words) as process:
            out, err = process.communicate(timeout=self.patience)
        return process.returncode, out, err

    def nightly(self, *words: str) -> tuple[int, dict[str, Any]]:
        """A nightly run, and its results as the command line writes them."""
        file = self.folder / "nightly.json"
        file.unlink(missing_ok=True)
        code, out, err = self.run("nightly", "-i", "existing.yml", "--json", str(file), *words)
        assert file.exists(), out + err
        return code, json.loads(file.read_text())

    def play(self, *checks: dict[str, Any]) -> None:
        """Play with the usual checks and these."""
        play = {**PLAY, "checks": [*PLAY["checks"], *checks]}
        (self.folder / "playbooks").mkdir(exist_ok=True)
        (self.folder / "playbooks" / "proof.yml").write_text(yaml.safe_dump(play, sort_keys=False))


@pytest.fixture(scope="module")
def three() -> Iterator[ThreeHosts]:
    lab = namespaces_lab(f"nightly-{os.getpid()}", SUBNET)
    machines = open_machines(lab)
    try:
        machines.up(Silent())
        yield ThreeHosts(lab, machines, Path())
    finally:
        machines.down(Silent())


@pytest.fixture
def nightly_lab(three: ThreeHosts, tmp_path: Path) -> NightlyLab:
    three.machines.up(Silent())  # what an earlier test switched off
    made = existing_lab(three.lab, three.machines, tmp_path)
    made.play()
    return made


def existing_lab(
    lab: Lab, machines: Machines, folder: Path, python: str = sys.executable, **more: object
) -> NightlyLab:
    """The machines of a lab, taken as existing ones by an inventory in `folder`; `more` are further keys of it."""
    known_hosts = folder / "known_hosts"
    hosts = {}
    lines = []
    for name, target in machines.targets().items():
        (own,) = target.known_hosts
        port = f"[{target.address}]:{target.port}"
        known = [line.split(" ", 1) for line in own.read_text().splitlines()]
        lines += [f"{port} {key}" for names, key in known if (target.alias or port) in names.split(",")]
        host = lab.inventory.hosts[name]
        ssh = {"user": target.user, "port": target.port, "key": str(target.key), "address": target.address}
        hosts[name] = {
            "address": str(host.address),
            "roles": [role for role in host.roles if role in ("docker", "nfs_server")],
            "ssh": {**ssh, "known_hosts": str(known_hosts)},
        }
    known_hosts.write_text("\n".join(lines) + "\n")
    inventory = {
        "lab": "existing-nightly",
        "machines": "existing",
        "network": {"subnet": str(lab.inventory.network.subnet)},
        "hosts": hosts,
        "images": {"shell": {"build": "busybox"}},
        "shared": True,  # each test has a state folder of its own, as another workstation has
        **more,
    }
    (folder / "existing.yml").write_text(yaml.safe_dump(inventory, sort_keys=False))
    return NightlyLab(folder, folder / "state", machines, python=python)


def stages(run: dict[str, Any]) -> dict[str, str]:
    return {stage["name"]: stage["outcome"] for stage in run["stages"]}


def outcomes(run: dict[str, Any]) -> dict[str, str]:
    return {result["check"]: result["outcome"] for result in run["results"]}


def under_way(nightly_lab: NightlyLab, stage: str, number: int = 1, within: float = 60) -> Path:
    """Wait until a run of `nightly_lab` is in a stage; returns its folder."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        for results in sorted(nightly_lab.runs.glob("*/results.json")):
            run = json.loads(results.read_text())
            if run["number"] == number and stages(run).get(stage) == "under way":
                return results.parent
        time.sleep(0.05)
    raise AssertionError(f"no run came to {stage} within {within} s")


def power_off(three: ThreeHosts, host: str) -> None:
    """As if its plug were pulled."""
    from clusterlab.machines.state import LabState

    pid = int((LabState(three.lab.name).host_folder(host) / "pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)

"""Where scenarios are played: real hosts in namespaces, and workstations from which a version of clusterlab works.

The hosts are created with this code; the version that is examined reaches them as existing machines over SSH, except in
scenarios about machines that it creates itself.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from clusterlab.machines import open_machines
from clusterlab.waiting import wait_until
from tests.bench.safety.scenario import CLUSTER, FOREIGN, MANAGERS, OWN
from tests.support.labs import EngineLab, lab_up, namespaces_lab
from tests.support.nightly_lab import NightlyLab, existing_lab

SUBNET = "10.67.0.0/24"
HOSTS = {MANAGERS: (3, 3), CLUSTER: (2, 1), FOREIGN: (3, 1)}
"""Docker hosts, and managers among them."""
IMAGES = {"shell": {"build": "busybox"}, "store": {"build": "busybox", "volumes": ["/var/lib/store"]}}
SLEEPS = ["sleep", "infinity"]
_CONTAINERS = "docker ps -aq | xargs -r docker rm --force --volumes"
_NETWORKS = "docker network ls --format '{{.Name}}' | grep -vxE 'bridge|host|none|ingress|docker_gwbridge'"
_EMPTY = f"""
for try in $(seq 120); do
    {_CONTAINERS}; {_NETWORKS} | xargs -r docker network rm; docker volume ls -q | xargs -r docker volume rm --force
    left=$(docker ps -aq; {_NETWORKS}; docker volume ls -q)
    [ -z "$left" ] && exit 0
    sleep 0.5
done >/dev/null 2>&1
echo "cannot be removed: $left" >&2; exit 1
"""
_SERVICES = "docker service ls -q | xargs -r docker service rm"


@dataclass(frozen=True)
class Code:
    """A version of clusterlab, installed in an environment of its own."""

    python: str

    @classmethod
    def at(cls, checkout: Path) -> Code:
        """The version of a checkout with a .venv; raises FileNotFoundError without one."""
        python = checkout.absolute() / ".venv" / "bin" / "python"
        if not python.exists():
            raise FileNotFoundError(f"{python}: create it with `python3 -m venv .venv && .venv/bin/pip install -e .`")
        return cls(str(python))

    @cached_property
    def keys(self) -> set[str]:
        """The keys of inventories that it knows: it must not be shown others."""
        argv = [self.python, "-c", "from clusterlab.cli.main import main; main()", "schema"]
        printed = subprocess.run(argv, capture_output=True, text=True, check=True, cwd="/").stdout
        return set(json.loads(printed)["$defs"]["Inventory"]["properties"])


THIS = Code(sys.executable)


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that was printed, as one line."""
        return " ".join(f"{self.out} {self.err}".split())


@dataclass
class Workstation:
    """A folder with an inventory and plays, and a state folder of its own."""

    cli: NightlyLab
    knows: set[str]
    file: Path
    inventory: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inventory = yaml.safe_load(self.file.read_text())
        self.write()

    @property
    def folder(self) -> Path:
        return self.cli.folder

    @property
    def lab(self) -> str:
        return str(self.inventory["lab"])

    @contextmanager
    def having(self, **keys: Any) -> Iterator[None]:
        """Other keys in the inventory, for a while."""
        before = self.inventory
        self.inventory = {**before, **keys}
        self.write()
        try:
            yield
        finally:
            self.inventory = before
            self.write()

    def write(self) -> None:
        """Write the inventory, with the keys that this version knows."""
        known = {key: value for key, value in self.inventory.items() if key in self.knows}
        self.file.write_text(yaml.safe_dump(known, sort_keys=False))

    def play(self, *checks: Mapping[str, Any], **body: Any) -> None:
        """Have one play, called proof."""
        folder = self.folder / "playbooks"
        folder.mkdir(exist_ok=True)
        always = {"title": "host1 works", "command": {"on": "host1", "run": "test -d /etc"}}
        play = {"title": "Proof", **body, "checks": list(checks) or [always]}
        (folder / "proof.yml").write_text(yaml.safe_dump(play, sort_keys=False))

    def __call__(self, verb: str, *words: str) -> Ran:
        """Run a verb on this inventory."""
        return Ran(*self.cli.run(verb, "-i", str(self.file), *words))

    def must(self, verb: str, *words: str) -> Ran:
        """Run a verb that has to succeed, or there is nothing to be seen."""
        ran = self(verb, *words)
        assert ran.code == 0, f"{verb} ended with exit code {ran.code}: {ran.text[-600:]}"
        return ran

    def gc(self, *words: str) -> Ran:
        """Run gc, which sees no artefacts of others: what it removes must be this scenario's own."""
        before = dict(self.cli.environment)
        self.cli.environment["XDG_CACHE_HOME"] = str(self.folder / "cache")
        try:
            return Ran(*self.cli.run("gc", *words))
        finally:
            self.cli.environment = before

    def results(self, verb: str = "check") -> tuple[Ran, dict[str, dict[str, Any]]]:
        """The results of a verb by the titles of their statements."""
        file = self.folder / "results.json"
        file.unlink(missing_ok=True)
        ran = self(verb, "--json", str(file))
        assert file.exists(), f"{verb} wrote no results: {ran.text[-600:]}"
        return ran, {one["check"]: one for one in json.loads(file.read_text())["results"]}


class Stand:
    """The hosts of some scenarios and the workstation called ada; `up` is None where there are no hosts yet."""

    def __init__(self, code: Code, folder: Path, up: EngineLab | None) -> None:
        self.code = code
        self.folder = folder
        self._up = up
        self.kept: dict[str, Any] = {}  # what several scenarios share
        if up:
            self.ada = self.workstation("ada")

    @property
    def up(self) -> EngineLab:
        assert self._up
        return self._up

    def workstation(self, name: str, **keys: Any) -> Workstation:
        folder = self.folder / name
        folder.mkdir()
        lab = self.up.lab.inventory
        made = existing_lab(self.up.lab, self.up.machines, folder, python=self.code.python)
        made.environment["PYTHONPATH"] = ""
        inventory = yaml.safe_load((folder / "existing.yml").read_text())
        for host, one in lab.hosts.items():
            inventory["hosts"][host]["roles"] = list(one.roles)
        inventory |= {"lab": "shop", "images": IMAGES, "allow_actions": True, "shared": False, **keys}
        (folder / "existing.yml").write_text(yaml.safe_dump(inventory, sort_keys=False))
        return Workstation(made, self.code.keys, folder / "existing.yml")

    def owner(self, name: str, folder: str = "", state: Path | None = None) -> Workstation:
        """Somebody whose inventory is about one host that clusterlab creates."""
        path = self.folder / (folder or name)
        path.mkdir()
        lab = namespaces_lab(f"safety-{name}-{os.getpid()}", "10.69.0.0/24", 1)
        made = NightlyLab(
            path, state or path / "state", open_machines(lab), {"PYTHONPATH": ""}, python=self.code.python
        )
        file = path / "inventory.yml"
        file.write_text(yaml.safe_dump(json.loads(lab.inventory.model_dump_json(exclude_defaults=True))))
        return Workstation(made, self.code.keys, file)

    def sh(self, host: str, script: str) -> str:
        """Run a script on a host, as somebody does who works without clusterlab."""
        return self.up.hosts[host].run(script, check=True, timeout=120).stdout.strip()

    def image(self, container: str, host: str = "host1") -> str:
        """The image of a container, for one that somebody else creates."""
        return shlex.quote(self.sh(host, f"docker inspect --format '{{{{.Config.Image}}}}' {container}"))

    def empty(self) -> None:
        """Remove all objects from the engines; images and the Swarm stay."""
        if self._up is None:
            return
        hosts = self.up.lab.inventory.docker_hosts
        if self.sh("host1", "docker info --format '{{.Swarm.ControlAvailable}}'") == "true":
            self.sh("host1", _SERVICES)
        for host in hosts:  # a network of the Swarm can be removed when no host uses it any longer
            self.sh(host, _CONTAINERS)
        for host in hosts:
            self.sh(host, _EMPTY)

    @contextmanager
    def engine_stopped(self, host: str) -> Iterator[None]:
        self.sh(host, "systemctl stop docker")
        try:
            yield
        finally:
            self.sh(host, "systemctl start docker")
            ready = f"docker node inspect --format '{{{{.Status.State}}}}' {host} 2>/dev/null"
            wait_until(lambda: self.up.hosts["host1"].run(ready).stdout.strip() == "ready", f"{host} to be ready", 60)


@contextmanager
def stand(machines: str, code: Code, folder: Path) -> Iterator[Stand]:
    """The stand for a kind of scenarios; the version that is examined provisions the hosts where they have roles."""
    folder.mkdir()
    if machines == OWN:
        yield Stand(code, folder, None)
        return
    hosts, managers = HOSTS[machines]
    with lab_up(namespaces_lab(f"safety-{os.getpid()}", SUBNET, hosts, managers)) as up:
        made = Stand(code, folder, up)
        if machines != FOREIGN:
            made.ada.play()
            made.ada.must("provision")
        yield made

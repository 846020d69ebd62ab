"""Places, tasks and probes of the play `services`, whose hosts are never reached."""

from __future__ import annotations

from pathlib import Path

from clusterlab.checks.finding import Finding
from clusterlab.checks.kinds import KINDS
from clusterlab.checks.places import Places
from clusterlab.checks.swarm_task import Task
from clusterlab.model import Lab, load_lab
from clusterlab.remote import Hosts

MANUAL = Path(__file__).parent.parent / "manual"
LAB = load_lab(MANUAL / "inventory.yml", ["services", "networks"], MANUAL / "plays")


def places(play: str = "services", lab: Lab = LAB) -> Places:
    return Places(lab, lab.plays[play], Hosts({}))


def task(host: str = "host1", service: str = "web", network: str = "n") -> Task:
    return Task(service, host, f"{service}.1", 47, "id", {network: "10.0.1.5"})


def ask(kind: str, **keys: object) -> list[Finding]:
    return KINDS[kind].ask(KINDS[kind].model.model_validate(keys), places())

"""In which order checks begin that could begin at the same time, and how many run at once."""

from __future__ import annotations

from typing import Any

import pytest

from clusterlab.checks.facts import Facts
from clusterlab.checks.guard import Guard
from clusterlab.checks.runner import _at_once, jobs_of
from clusterlab.checks.urgency import by_urgency
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.remote import Hosts

INVENTORY = Inventory.model_validate(
    {
        "lab": "demo",
        "hosts": {
            "host1": {"address": "192.168.98.11", "roles": ["docker", "swarm_manager"]},
            "host2": {"address": "192.168.98.12", "roles": ["docker", "swarm_worker"]},
        },
    }
)
LIST = {"command": {"on": "host1", "run": "ls /a"}}
SCALE = {"steps": [{"do": {"scale": {"service": "hello", "replicas": 1}}}, {"ping": {"on": "host1", "to": "host1"}}]}
RESTART = {"steps": [{"do": {"restart": "app"}}, {"command": {"in": "app", "run": "ls /a"}}]}
ASKS = {"command": {"in": "app", "run": "ls /a"}}


def lab(*checks: dict[str, Any]) -> Lab:
    play = Play.model_validate(
        {
            "title": "urgency",
            "services": {"hello": {"image": "web"}},
            "containers": {"app": {"host": "host2", "image": "shell"}},
            "checks": [{"title": str(number), **check} for number, check in enumerate(checks)],
        }
    )
    return Lab(INVENTORY, {"play": play})


@pytest.mark.parametrize(
    ("checks", "order"),
    [
        ([LIST, LIST, LIST], "012"),
        ([LIST, SCALE], "10"),
        ([LIST, {"run": {"on": "host2", "image": "shell"}}], "10"),
        ([LIST, SCALE, SCALE], "120"),
        ([RESTART, SCALE], "10"),
        # A quick one before an action begins before what nobody waits for, and never after its action.
        ([LIST, ASKS, RESTART, ASKS], "1203"),
    ],
)
def test_the_longest_chains_begin_first(checks: list[dict[str, Any]], order: str) -> None:
    jobs = by_urgency(jobs_of(lab(*checks), Hosts({})))
    assert "".join(job.check.title for job in jobs) == order


@pytest.mark.parametrize(
    ("processors", "at_once"),
    [([1, 1], 4), ([1, 2], 6), ([2, 2], 8), ([16, 16], 8), ([0, 1], 8)],
)
def test_as_many_checks_run_as_the_processors_of_the_docker_hosts_bear(processors: list[int], at_once: int) -> None:
    guard = Guard(lab(LIST), Hosts({}))
    for host, number in zip(("host1", "host2"), processors, strict=True):
        guard._facts[host] = Facts(host, 0.0, swarm={"NCPU": number} if number else {})
    assert _at_once(lab(LIST), guard) == at_once

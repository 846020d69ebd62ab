"""From a drill in a play to loops on hosts, faults and expectations."""

from __future__ import annotations

from typing import Any

import pytest

from clusterlab.drills.plan import all_plans, chosen
from clusterlab.errors import UsageError
from clusterlab.model import Lab, load_lab
from clusterlab.model.playbook import Play
from tests.support.check_cases import PLAYBOOKS
from tests.support.labs import namespaces_lab

DRILL: dict[str, Any] = {
    "title": "cut off each worker",
    "each": "swarm_worker",
    "probers": {"web": {"http": {"service": "web", "at": "docker"}, "from": "gw", "every": "500ms", "timeout": "1s"}},
    "writers": {"orders": {"volume": "orders", "from": "docker"}},
    "faults": [{"isolate": {"host": "it", "lasts": "30s"}}, {"partition": {"between": ["it", "others"]}}],
    "during": [
        {"prober": "web", "at": "others", "expect": "holds", "within": "60s"},
        {"prober": "web", "at": "it", "expect": "fails"},
        {"prober": "web", "at": "any", "expect": "holds"},
        {"writer": "orders", "from": "others", "expect": "holds"},
    ],
    "recovers": "3m",
}


def lab(**changed: Any) -> Lab:
    known = namespaces_lab("plans", "10.75.0.0/24", docker_hosts=3)
    services = {"web": {"image": "shell", "ports": ["53:53/udp", "8090:80"]}}
    play = {"title": "shop", "volumes": {"orders": {}}, "services": services, "drills": [{**DRILL, **changed}]}
    return Lab(known.inventory, {"shop": Play.model_validate(play)})


def test_one_for_each_host() -> None:
    plans = all_plans(lab())
    assert [plan.title for plan in plans] == ["cut off each worker (host2)", "cut off each worker (host3)"]
    assert [plan.faults[0].params.model_dump(exclude_unset=True)["host"] for plan in plans] == ["host2", "host3"]
    assert plans[0].faults[1].params.model_dump(exclude_unset=True) == {"between": [["host2"], ["host1", "host3"]]}


def test_expectations_have_their_hosts() -> None:
    judged = all_plans(lab())[0].judged
    labels = [[stream.label for stream in one.streams] for one in judged]
    assert labels == [
        ["gw -> host1:8090", "gw -> host3:8090"],
        ["gw -> host2:8090"],
        ["gw -> host1:8090", "gw -> host2:8090", "gw -> host3:8090"],
        ["orders on host1", "orders on host3"],
    ]
    assert [one.together for one in judged] == [False, False, True, False]


def test_loops_are_by_the_host_that_asks() -> None:
    loops = all_plans(lab())[0].loops()
    assert {host: [loop.name for loop in one] for host, one in loops.items()} == {
        "gw": ["web-host1", "web-host2", "web-host3"],
        "host1": ["orders-host1"],
        "host2": ["orders-host2"],
        "host3": ["orders-host3"],
    }
    address = lab().inventory.hosts["host1"].address
    assert f"--max-time 1 http://{address}:8090/" in loops["gw"][0].command[-1]


@pytest.mark.parametrize("words", [["shop"], ["shop:cut off each worker"], []])
def test_drills_that_are_named(words: list[str]) -> None:
    assert list(chosen(lab(), words)) == ["shop"]


def test_a_title_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="shop has no drill 'other'"):
        chosen(lab(), ["shop:other"])


def test_a_drill_that_the_inventory_has_too_few_hosts_for() -> None:
    (plan,) = all_plans(on("default"), ["drills/worker"])
    assert (plan.lacks, plan.streams) == ("the inventory has no second host with the role swarm_worker", ())
    assert [plan.it for plan in all_plans(on("ha"), ["drills/worker"])] == ["host1", "host2"]


def on(inventory: str) -> Lab:
    return load_lab(PLAYBOOKS.parent / "inventory" / f"{inventory}.yml", ["drills/worker"], PLAYBOOKS)


def test_a_play_without_drills() -> None:
    empty = Lab(lab().inventory)
    with pytest.raises(UsageError, match="no play has a drill"):
        chosen(empty)

"""A Swarm with three managers: what belongs to it is planned once, and any manager that answers is asked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean, left_over
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from tests.support.labs import lab_up, namespaces_lab
from tests.support.resource_bench import Bench

pytestmark = pytest.mark.engine

MANAGERS = ("host1", "host2", "host3")
PLAY: dict[str, Any] = {
    "networks": {
        "unused": {"driver": "overlay", "attachable": True},
        "mesh": {"driver": "overlay", "attachable": True},
    },
    "containers": {"c3": {"host": "host3", "image": "shell", "networks": ["mesh"]}},
    "services": {"svc": {"image": "shell", "networks": ["mesh"], "deploy": {"mode": "global"}}},
}


@pytest.fixture(scope="module")
def managed() -> Iterator[Bench]:
    lab = namespaces_lab(f"managers-{os.getpid()}", "10.79.0.0/24", 3, 3, images={"shell": {"build": "busybox"}})
    with lab_up(lab) as up:
        report = carry_out(provision(lab, up.hosts, up.machines.unsupported()), Silent())
        assert report.ok, (report.failed, report.blocked)
        yield Bench(up.hosts, lab.inventory, up.machines.targets())


def test_the_networks_and_services_of_the_swarm_are_not_removed_from_the_other_managers(managed: Bench) -> None:
    managed.made(PLAY)
    with Hosts(managed.targets) as hosts:
        assert [f"{one.action} {one.key}" for one in apply(managed.lab(PLAY), hosts)] == []
        for name in MANAGERS:
            assert hosts[name].counts["commands"] <= 1
            assert hosts[name].counts["requests"] <= 6, hosts[name].counts
    networks = managed.sh("host2", "docker network ls --filter driver=overlay --format '{{.Name}}' | sort | xargs")
    assert networks == "ingress mesh unused"


def test_what_no_play_has_any_longer_is_removed_once(managed: Bench) -> None:
    managed.made(PLAY)
    rest = {**PLAY, "networks": {"mesh": PLAY["networks"]["mesh"]}}
    changes = managed.plan(rest)
    assert [f"{one.action} {one.key}" for one in changes] == ["remove Swarm: network unused"]
    assert managed.carry_out(changes).ok
    assert managed.plan(rest) == []


def test_with_the_first_manager_down_another_one_is_asked(managed: Bench) -> None:
    """Its engine is the one finding; what the Swarm has is planned, changed and checked with the others."""
    managed.made(PLAY)
    wanted = {**PLAY, "networks": {**PLAY["networks"], "new": {"driver": "overlay"}}}
    managed.sh("host1", "systemctl stop docker")
    try:
        changes = managed.plan(wanted)
        assert [f"{one.action} {one.key}" for one in changes if one.blocked] == ["ask host1: engine docker"]
        assert [f"{one.action} {one.key}" for one in changes if not one.blocked] == ["create Swarm: network new"]
        report = managed.carry_out(changes)
        assert [str(one.change.key) for one in report.done] == ["Swarm: network new"]
        assert not report.failed
        assert not report.skipped
    finally:
        managed.sh("host1", "systemctl start docker")
    managed.made(wanted)
    assert managed.plan(wanted) == []


def test_what_belongs_to_the_swarm_has_the_same_keys_whoever_leads(managed: Bench) -> None:
    wanted = {"networks": {"unused": {"driver": "overlay", "attachable": True}}}
    managed.made(wanted)
    rest: dict[str, Any] = {"volumes": {"data": {"hosts": "host1"}}}
    before = {str(one.key) for one in managed.plan(rest)}
    leader = managed.sh(
        "host1", "docker node ls --format '{{if eq .ManagerStatus \"Leader\"}}{{.Hostname}}{{end}}' | xargs"
    )
    first = next(name for name in MANAGERS if managed.sh(name, "hostname") == leader)
    managed.sh(first, "systemctl restart docker")
    managed.sh(first, "until docker node ls >/dev/null 2>&1; do sleep 0.2; done")
    assert {str(one.key) for one in managed.plan(rest)} == before
    assert "Swarm: network unused" in before


def test_clean_removes_what_belongs_to_the_swarm_once(managed: Bench) -> None:
    managed.made(PLAY)
    changes = clean(managed.inventory.lab, managed.hosts, True)
    keys = [str(one.key) for one in changes if one.key.kind in ("network", "service")]
    assert sorted(keys) == ["Swarm: network mesh", "Swarm: network unused", "Swarm: service svc"]
    report = managed.carry_out(changes)
    assert report.ok, [one.error.message for one in report.failed]
    assert left_over(managed.inventory.lab, managed.hosts) == []


def test_without_any_manager_what_needs_one_waits(managed: Bench) -> None:
    play = {**PLAY, "containers": {**PLAY["containers"], "alone": {"host": "host3", "image": "shell"}}}
    for name in MANAGERS[:2]:
        managed.sh(name, "systemctl stop docker")
    try:
        managed.sh("host3", "until docker info 2>&1 | grep -q 'does not have a leader'; do sleep 0.2; done")
        report = managed.carry_out(managed.plan(play))
        assert "Swarm: swarm managers" in [str(one.key) for one in report.blocked]
        assert "alone" in [one.change.key.name for one in report.done]
        assert {one.change.key.name for one in report.skipped} == {"c3"}
    finally:
        for name in MANAGERS[:2]:
            managed.sh(name, "systemctl start docker")
    managed.sh("host3", "until docker node ls >/dev/null 2>&1; do sleep 0.2; done")
    managed.made(play)

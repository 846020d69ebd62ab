"""Scenarios in a Swarm that somebody typed: its nodes are as they are."""

from __future__ import annotations

import json
from typing import Any

from tests.bench.safety.scenario import FOREIGN, Seen, scenario
from tests.bench.safety.stand import Stand

MANAGER = ["docker", "swarm_manager"]


def typed(stand: Stand, *workers: str, data_path: str = "") -> None:
    """A Swarm of host1 and `workers`, whatever the hosts were in before."""
    for host in ("host3", "host2", "host1"):
        stand.sh(host, "docker swarm leave --force >/dev/null 2>&1 || true")
    addresses = {name: str(host.address) for name, host in stand.up.lab.inventory.hosts.items()}
    first = addresses["host1"]
    stand.sh("host1", f"docker swarm init --advertise-addr {first} {data_path}")
    token = stand.sh("host1", "docker swarm join-token -q worker")
    for name in workers:
        stand.sh(name, f"docker swarm join --token {token} --advertise-addr {addresses[name]} {first}:2377")
    stand.ada.play()


def nodes(stand: Stand) -> dict[str, Any]:
    """Name, role and availability of each node, by its ID."""
    found = json.loads(stand.sh("host1", "docker node inspect $(docker node ls -q)"))
    return {
        one["ID"]: (one["Description"]["Hostname"], one["Spec"]["Role"], one["Spec"]["Availability"]) for one in found
    }


def provisioned(stand: Stand) -> Seen:
    """What `provision` changes in the Swarm."""
    before, ran = nodes(stand), stand.ada("provision")
    after = nodes(stand)
    changed = [" ".join(after[one]) for one in after if before.get(one) != after[one]]
    removed = [f"{before[one][0]} removed" for one in before if one not in after]
    what = ", ".join([*changed, *removed])
    return Seen(bool(what), f"now {what}" if what else f"as it was; exit code {ran.code}")


@scenario(FOREIGN, "a drained node of a Swarm of somebody else is proposed for, and given, tasks again")
def drained_node(stand: Stand) -> Seen:
    typed(stand, "host2", "host3")
    stand.sh("host1", "docker node update --availability drain host3")
    planned = "--availability active" in stand.ada("plan").text
    seen = provisioned(stand)
    return Seen(planned or seen.harm, f"{'proposed' if planned else 'not proposed'}; {seen.what}")


@scenario(FOREIGN, "a host joins a Swarm of somebody else unasked")
def joins_unasked(stand: Stand) -> Seen:
    typed(stand, "host2")
    return provisioned(stand)


@scenario(FOREIGN, "a node of a Swarm of somebody else is promoted to a manager")
def promoted(stand: Stand) -> Seen:
    typed(stand, "host2", "host3")
    hosts = stand.ada.inventory["hosts"]
    with stand.ada.having(hosts={**hosts, "host2": {**hosts["host2"], "roles": MANAGER}}):
        return provisioned(stand)


@scenario(FOREIGN, "a node that went down is removed from a Swarm of somebody else")
def dead_node(stand: Stand) -> Seen:
    typed(stand, "host2", "host3")
    stand.sh("host2", "docker swarm leave")
    stand.sh("host1", "until docker node ls --format '{{.Status}}' | grep -q Down; do sleep 0.2; done")
    return provisioned(stand)


@scenario(FOREIGN, "a data path address of its own counts as a wrong address")
def data_path(stand: Stand) -> Seen:
    stand.sh("host1", "ip address add 10.68.1.11/24 dev eth0 2>/dev/null || true")
    typed(stand, "host2", "host3", data_path="--data-path-addr 10.68.1.11")
    ran = stand.ada("plan")
    wrong = "wrong address" in ran.text
    return Seen(wrong, "a wrong address, blocked" if wrong else "reported as information")

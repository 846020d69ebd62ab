"""Scenarios with three managers."""

from __future__ import annotations

from typing import Any

from tests.bench.safety.scenario import CLUSTER, MANAGERS, Seen, scenario
from tests.bench.safety.stand import SLEEPS, Stand

OVERLAY = {"driver": "overlay", "attachable": True}
PLAY: dict[str, Any] = {
    "networks": {"unused": OVERLAY, "mesh": OVERLAY},
    "containers": {"user": {"host": "host3", "image": "shell", "command": SLEEPS, "networks": ["mesh"]}},
}


def networks(stand: Stand) -> set[str]:
    return set(stand.sh("host2", "docker network ls --filter driver=overlay --format '{{.Name}}'").split())


@scenario(MANAGERS, "a second apply removes networks that the first one created")
def second_apply(stand: Stand) -> Seen:
    stand.ada.play(**PLAY)
    stand.ada.must("apply")
    before, ran = networks(stand), stand.ada("apply")
    gone = ", ".join(sorted(before - networks(stand))) or "none"
    return Seen(gone != "none" or ran.code != 0, f"networks removed: {gone}; exit code {ran.code}")


@scenario(MANAGERS, "with the first manager down and quorum kept, nothing can be applied")
def first_manager_down(stand: Stand) -> Seen:
    stand.ada.play(**PLAY)
    stand.ada.must("apply")
    with stand.engine_stopped("host1"):
        stand.ada.play(**{**PLAY, "networks": {**PLAY["networks"], "another": OVERLAY}})
        stand.ada("apply")
        created = "another" in networks(stand)
    return Seen(not created, f"the network was {'created through another manager' if created else 'not created'}")


@scenario(MANAGERS, "with the first manager down, nothing about the Swarm can be checked")
def first_manager_down_check(stand: Stand) -> Seen:
    title = "the Swarm has its node host2"
    stand.ada.play({"title": title, "inspect": {"node": "host2", "path": "Spec.Role", "value": "manager"}}, **PLAY)
    stand.ada.must("apply")
    with stand.engine_stopped("host1"):
        _, results = stand.ada.results()
    return Seen(results[title]["outcome"] != "pass", f"a statement about a node: {results[title]['outcome']}")


@scenario(MANAGERS, "a host that was taken out of the inventory keeps its node without a word")
def host_out_of_inventory(stand: Stand) -> Seen:
    stand.ada.play()
    hosts = {name: host for name, host in stand.ada.inventory["hosts"].items() if name != "host3"}
    with stand.ada.having(hosts=hosts):
        ran = stand.ada("plan")
    said = "host3" in ran.text
    return Seen(not said, f"plan {'names' if said else 'does not mention'} its node")


@scenario(CLUSTER, "the command shown for an update of a service removes it first")
def shown_update(stand: Stand) -> Seen:
    service = {"image": "shell", "command": SLEEPS}
    stand.ada.play(services={"api": service})
    stand.ada.must("apply")
    stand.ada.play(services={"api": {**service, "environment": {"LEVEL": "2"}}})
    ran = stand.ada.must("plan")
    removes = "docker service rm" in ran.text
    return Seen(removes, "docker service rm ... && create" if removes else "docker service update")


@scenario(CLUSTER, "a label that differs on a volume counts as a loss of data")
def volume_label(stand: Stand) -> Seen:
    volumes: dict[str, Any] = {"data": {"hosts": "host1", "labels": {"team": "a"}}}
    stand.ada.play(volumes=volumes)
    stand.ada.must("apply")
    volumes["data"]["labels"]["team"] = "b"
    stand.ada.play(volumes=volumes)
    ran = stand.ada("plan")
    blocked = "--allow-data-loss" in ran.text
    return Seen(blocked, "blocked until data may be lost" if blocked else "information, not a change")

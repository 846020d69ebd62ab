"""A cluster at one moment: its nodes, its engines, and where tasks run.

And what is different at another.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from clusterlab.faults import Scene
from clusterlab.resources.base import LABEL_LAB
from clusterlab.resources.engine_calls import engine
from clusterlab.resources.swarm_nodes import address, list_nodes, reachability

_FACTS = """\
cat /etc/docker/daemon.json 2>/dev/null | tr -d '\\n'; echo
cat /sys/class/net/docker0/mtu 2>/dev/null || echo
lan=$(ip -o -4 addr show to @ADDRESS | awk '{ print $2; exit }'); cat "/sys/class/net/$lan/mtu" 2>/dev/null || echo
docker version --format '{{.Server.Version}}'"""
"""Prints four lines: the engine's options, the MTU of its bridge and of the LAN card, and its version."""


@dataclass(frozen=True)
class View:
    """Facts by subject, such as "host1 role".

    And how many tasks of each service run, by host.
    """

    facts: Mapping[str, str] = field(default_factory=dict)
    tasks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def running(self, service: str) -> int:
        """The tasks of a service that run."""
        return sum(self.tasks.get(service, {}).values())


def view(scene: Scene) -> View:
    """The cluster as its managers and engines report it.

    Raises ClusterlabError when one does not.
    """
    inventory = scene.lab.inventory
    facts: dict[str, str] = {}
    scripts = {name: _FACTS.replace("@ADDRESS", scene.address(name)) for name in inventory.docker_hosts}
    for name, done in scene.run(scripts).items():
        options, mtu, lan, version = [*done.stdout.splitlines(), "", "", "", ""][:4]
        options = "" if options == "{}" else options
        facts |= {f"{name} daemon.json": options, f"{name} docker0 mtu": mtu}
        facts |= {f"{name} LAN mtu": lan, f"{name} engine": version}
    tasks: dict[str, dict[str, int]] = {}
    if inventory.with_role("swarm_manager"):
        names = {str(host.address): name for name, host in inventory.hosts.items()}
        nodes = {str(node["ID"]): node for node in list_nodes(scene.manager)}
        for node in nodes.values():
            name = names.get(address(node), address(node))
            facts |= {f"{name} {what}": value for what, value in _of_node(node)}
        hosts = {id: names.get(address(node), address(node)) for id, node in nodes.items()}
        tasks = _tasks(scene, hosts)
    return View(facts, tasks)


def managers(scene: Scene) -> tuple[list[str], str]:
    """The managers that are reachable, and which of them leads."""
    names = {str(host.address): name for name, host in scene.lab.inventory.hosts.items()}
    nodes = [node for node in list_nodes(scene.manager) if reachability(node) == "reachable"]
    leaders = [node for node in nodes if node["ManagerStatus"].get("Leader")]
    return [names.get(address(one), "") for one in nodes], names.get(address(leaders[0]), "") if leaders else ""


def _of_node(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    spec = node["Spec"]
    yield "state", str(node["Status"]["State"])
    yield "address", address(node)
    yield "role", str(spec["Role"])
    yield "availability", str(spec["Availability"])
    labels = {key: value for key, value in (spec.get("Labels") or {}).items() if key != LABEL_LAB}
    yield "labels", shlex.join(f"{key}={value}" for key, value in sorted(labels.items()))


def _tasks(scene: Scene, hosts: Mapping[str, str]) -> dict[str, dict[str, int]]:
    with engine(scene.manager, "list the Swarm's services and tasks") as api:
        services = {str(one["ID"]): str(one["Spec"]["Name"]) for one in api.services()}
        tasks = api.tasks(filters={"desired-state": "running"})
    found: dict[str, dict[str, int]] = {name: {} for name in services.values()}
    for task in tasks:
        name, host = services.get(str(task.get("ServiceID"))), hosts.get(str(task.get("NodeID")))
        if name and host and task["Status"]["State"] == "running":
            found[name][host] = found[name].get(host, 0) + 1
    return found


def differences(before: View, after: View) -> list[str]:
    """What is different, a sentence each.

    Tasks that moved, and those that are missing, are told apart.
    """
    found = []
    for subject in sorted({*before.facts, *after.facts}):
        was, now = before.facts.get(subject, ""), after.facts.get(subject, "")
        if was != now:
            found.append(f"{subject}: {was or 'none'} before, {now or 'none'} now")
    for service in sorted({*before.tasks, *after.tasks}):
        was_at, now_at = before.tasks.get(service, {}), after.tasks.get(service, {})
        if before.running(service) != after.running(service):
            found.append(f"{service}: {before.running(service)} tasks before, {after.running(service)} now")
        elif was_at != now_at:
            found.append(f"{service}: tasks on {_places(was_at)} before, on {_places(now_at)} now")
    return found


def _places(tasks: Mapping[str, int]) -> str:
    return (
        ", ".join(f"{host} ({number})" if number > 1 else host for host, number in sorted(tasks.items())) or "no host"
    )

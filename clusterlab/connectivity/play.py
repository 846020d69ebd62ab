"""The play of the test: what stands on the cluster while it runs, and the statements about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clusterlab.errors import UsageError
from clusterlab.model import Lab
from clusterlab.model.inventory import Image
from clusterlab.model.playbook import Play
from clusterlab.model.problems import suggest

from .names import APART, IMAGE, NETWORK, PAIR, PLAY, PORT, SEALED, WEB, apart, probe, sealed, share, shared
from .properties import PROPERTIES, SHARED_AT, Subject

_MEGABYTE = 1024 * 1024
_SLEEP = ["sleep", "infinity"]
_SERVE = f"""mkdir -p /www/cgi-bin && cd /www && head -c {_MEGABYTE} /dev/zero > data &&
printf '#!/bin/sh\\necho Content-Type: text/plain; echo; hostname\\n' > cgi-bin/name && chmod +x cgi-bin/name &&
exec httpd -f -p 0.0.0.0:80 -h /www"""


@dataclass(frozen=True)
class Options:
    """What of the test is carried out; nothing given means all of it."""

    nodes: Sequence[str] = ()
    properties: Sequence[str] = ()
    quick: bool = False
    port: int = PORT
    outside: str = ""


def with_test(lab: Lab, options: Options = Options()) -> Lab:
    """The lab with the play of the test beside its own; raises UsageError for what cannot be tested."""
    subject = Subject(lab.inventory, tuple(_nodes(lab, options)), _port(options.port), options.outside)
    images = {**lab.inventory.images, IMAGE: Image(build="busybox")}
    inventory = lab.inventory.model_copy(update={"images": images})
    return replace(lab, inventory=inventory, plays={**lab.plays, PLAY: _play(subject, _chosen(options))})


def _play(subject: Subject, properties: Sequence[str]) -> Play:
    checks = [one for name in properties for one in PROPERTIES[name].of(subject)]
    if not checks:
        chosen = ", ".join(properties)
        raise UsageError(f"there is nothing to test here: {chosen}", remedy="Most of it takes two nodes or more.")
    return Play.model_validate(
        {
            "title": "Every node reaches every other",
            "teaches": "Whether the nodes of a Swarm can work together: names, packets, ports, networks, shares.",
            "why": "Most of what fails in a Swarm is between two nodes, and seen only where two certain ones meet.",
            "networks": {name: {"driver": "overlay", "attachable": True} for name in (NETWORK, APART)}
            | {SEALED: {"driver": "overlay", "attachable": True, "driver_opts": {"encrypted": ""}}},
            "volumes": _volumes(subject),
            "containers": _containers(subject),
            "services": {
                WEB: _service([f"{subject.port + 1}:80"], 1),
                PAIR: _service([], 2),
            },
            "checks": checks,
        }
    )


def _containers(subject: Subject) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for node in subject.nodes:
        serving = {"host": node, "image": IMAGE, "command": ["sh", "-c", _SERVE]}
        found[probe(node)] = {**serving, "networks": [NETWORK], "ports": [f"{subject.port}:80"]}
        found[apart(node)] = {"host": node, "image": IMAGE, "command": _SLEEP, "networks": [APART]}
        found[sealed(node)] = {"host": node, "image": IMAGE, "command": _SLEEP, "networks": [SEALED]}
        for index, _ in enumerate(subject.exports):
            mounting = {"host": node, "image": IMAGE, "command": _SLEEP, "volumes": [f"{share(index)}:{SHARED_AT}"]}
            found[shared(index, node)] = mounting
    return found


def _service(ports: list[str], replicas: int) -> Mapping[str, Any]:
    serving = {"image": IMAGE, "command": ["sh", "-c", _SERVE], "networks": [NETWORK]}
    return {**serving, "ports": ports, "deploy": {"replicas": replicas}}


def _volumes(subject: Subject) -> Mapping[str, Any]:
    hosts = subject.inventory.hosts
    return {
        share(index): {
            "hosts": list(subject.nodes),
            "driver_opts": {"type": "nfs", "o": f"addr={hosts[server].address},rw,nfsvers=4.2", "device": f":{path}"},
        }
        for index, (server, path) in enumerate(subject.exports)
    }


def _nodes(lab: Lab, options: Options) -> list[str]:
    """The nodes that are tested; raises UsageError for one that is none, and when there are none."""
    nodes = lab.inventory.swarm_hosts
    if not lab.inventory.with_role("swarm_manager"):
        raise UsageError(
            "no host of the inventory is a manager of a Swarm",
            remedy="Give the hosts their roles (swarm_manager, swarm_worker), or name a manager's address instead: "
            "clusterlab test-cluster ADDRESS",
        )
    for name in options.nodes:
        if name not in nodes:
            raise UsageError(f"{name} is not a node of the Swarm", remedy=suggest(name, nodes, "Nodes"))
    return [node for node in nodes if not options.nodes or node in options.nodes]


def _chosen(options: Options) -> list[str]:
    for name in options.properties:
        if name not in PROPERTIES:
            raise UsageError(f"unknown property '{name}'", remedy=suggest(name, PROPERTIES, "Properties"))
    quick = [name for name, one in PROPERTIES.items() if one.quick or not options.quick]
    return [name for name in (quick if not options.properties else PROPERTIES) if name in (options.properties or quick)]


def _port(port: int) -> int:
    if not 1024 <= port <= 65534:
        raise UsageError(f"--port {port} is not the first of two free ports", remedy=f"For example --port {PORT}.")
    return port

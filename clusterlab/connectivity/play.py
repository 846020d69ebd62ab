"""The play of the test.

What stands on the cluster while it runs, and the statements about it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clusterlab.errors import UsageError
from clusterlab.model import Lab
from clusterlab.model.base import RATE_PATTERN, size_bytes
from clusterlab.model.inventory import Image
from clusterlab.model.playbook import Play
from clusterlab.model.problems import suggest

from .names import (
    APART,
    EACH,
    FLOOR,
    IMAGE,
    NETWORK,
    PAIR,
    PLAY,
    PORT,
    PORTS,
    SEALED,
    SHARED_AT,
    SPREAD,
    WEB,
    apart,
    probe,
    sealed,
    share,
    shared,
)
from .own_exports import OwnExport
from .properties import PROPERTIES
from .requirements import require_free, require_machines, require_members
from .subject import Statement, Subject
from .survey import Seen

_MEGABYTE = 1024 * 1024
_FASTEST = "10M"
"""At this rate the download takes ten ticks of the clock that measures it, of hundredths of a second."""
_NOBODYS = "198.18.0.0/16"
"""Addresses that no network should have but one for benchmarks (RFC 2544).

To one that a node's own network has too, as may be with those that Docker chooses, whoever has it there answers.
"""
_SLEEP = ["sleep", "infinity"]
_AT_ONCE = {"stop_signal": "SIGKILL"}
"""How containers and tasks end: what they run ignores SIGTERM, as every first process that does not handle it."""
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
    floor: str = FLOOR


def with_test(lab: Lab, options: Options = Options(), seen: Seen | None = None) -> Lab:
    """The lab with the play of the test beside its own.

    Raises UsageError for what cannot be tested.

    Raises NotTestable for nodes of another Swarm and, unless nothing is created, for nodes on which the image of the
    test does not run and for what the test of another lab left.

    As long as the cluster has not been asked what it uses (`seen`), there are no statements about that.
    """
    subject = _subject(lab, options, seen)
    require_members(subject)
    images = {**lab.inventory.images, IMAGE: Image(build="busybox")}
    inventory = lab.inventory.model_copy(update={"images": images})
    properties = _chosen(options)
    checks = [one for name in properties for one in PROPERTIES[name].of(subject)]
    if not checks and (seen is not None or not any(PROPERTIES[name].surveyed for name in properties)):
        reasons = [f"{name}: {PROPERTIES[name].lacks}" for name in properties]
        raise UsageError(f"there is nothing to test here: {', '.join(properties)}", remedy="; ".join(reasons))
    if not checks:
        return replace(lab, inventory=inventory)
    made = _play(subject, properties, checks)
    if made.containers or made.services:
        require_machines(subject)
        require_free(subject, made)
    return replace(lab, inventory=inventory, plays={**lab.plays, PLAY: made})


def without_test(lab: Lab) -> Lab:
    """The lab with its own plays alone."""
    return replace(lab, plays={name: one for name, one in lab.plays.items() if name != PLAY})


def untested(lab: Lab, options: Options, seen: Seen) -> list[str]:
    """What the test cannot prove on a cluster, each with the reason."""
    subject = _subject(lab, options, seen)
    chosen = _chosen(options)
    lacking = [f"{name}: {PROPERTIES[name].lacks}" for name in chosen if not any(PROPERTIES[name].of(subject))]
    writes = any("shares" in PROPERTIES[name].stands for name in chosen)
    return lacking + [_unwritten(one, subject.quick) for one in subject.only_read if writes]


def _unwritten(export: OwnExport, quick: bool) -> str:
    """What is not tested of an export to which nobody can write."""
    if export.closed or quick:
        return f"{export.shown}: {export.closed or f'not with --quick, as nobody can write to it: {export.only_read}'}"
    return f"writing to {export.shown}: {export.only_read}"


def _subject(lab: Lab, options: Options, seen: Seen | None) -> Subject:
    nodes, port, floor = tuple(_nodes(lab, options)), _port(options.port), _floor(options.floor)
    return Subject(lab.inventory, nodes, port, _outside(options.outside), floor, seen, options.quick)


def _play(subject: Subject, properties: Sequence[str], checks: Sequence[Statement]) -> Play:
    wanted = {one for name in properties if any(PROPERTIES[name].of(subject)) for one in PROPERTIES[name].stands}
    return Play.model_validate(
        {
            "title": "Every node reaches every other",
            "teaches": "Whether the nodes of a Swarm can work together: names, packets, ports, networks, shares.",
            "why": "Most of what fails in a Swarm is between two nodes, and seen only where two certain ones meet.",
            "networks": _networks(wanted),
            "volumes": _volumes(subject, wanted),
            "containers": _containers(subject, wanted),
            "services": _services(subject, wanted),
            "checks": checks,
        }
    )


def _networks(wanted: Collection[str]) -> Mapping[str, Any]:
    overlay = {"driver": "overlay", "attachable": True}
    found: dict[str, Any] = {NETWORK: overlay} if {"probe", WEB, PAIR} & set(wanted) else {}
    found |= {APART: {**overlay, "ipam": {"config": [{"subnet": _NOBODYS}]}}} if "apart" in wanted else {}
    return found | ({SEALED: {**overlay, "driver_opts": {"encrypted": ""}}} if "sealed" in wanted else {})


def _containers(subject: Subject, wanted: Collection[str]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for node in subject.nodes:
        serving = {"host": node, "image": IMAGE, "command": ["sh", "-c", _SERVE], **_AT_ONCE}
        waiting = {"host": node, "image": IMAGE, "command": _SLEEP, **_AT_ONCE}
        holding = {**waiting, "network_mode": "none"}  # a network takes a good part of the time of a start
        if "probe" in wanted:
            found[probe(node)] = {**serving, "networks": [NETWORK], "ports": [f"{subject.port}:80"]}
        for kind, name, network in (("apart", apart(node), APART), ("sealed", sealed(node), SEALED)):
            if kind in wanted:
                found[name] = {**waiting, "networks": [network]}
        for index in _shares(subject, wanted):
            volumes = [f"{share(index)}:{SHARED_AT}"]
            found[shared(index, node)] = {**holding, "volumes": volumes, "environment": {"NODE": node}}
            if user := subject.exports[index].user:
                found[shared(index, node)]["user"] = user
        for index in _mounts(subject, wanted):
            found[shared(index, node)] = {**holding, "volumes": [f"{share(index)}:{SHARED_AT}:ro"]}
            if user := subject.readable[index - len(subject.exports)].user:
                found[shared(index, node)]["user"] = user
    return found


def _services(subject: Subject, wanted: Collection[str]) -> Mapping[str, Any]:
    """The services that are wanted; the pair may be the one with a port, which then has its two tasks."""
    wanted = {subject.pair if name == PAIR else name for name in wanted}
    tasks = 2 if subject.pair == WEB else 1
    alone: dict[str, Any] = {"image": IMAGE, "command": ["sh", "-c", _SERVE], **_AT_ONCE}
    serving = {**alone, "networks": [NETWORK]}
    waiting = {"image": IMAGE, "command": _SLEEP, **_AT_ONCE}
    own: dict[str, Any] = {"target": 80, "published": subject.port + 2, "mode": "host"}
    only = [f"node.platform.arch == {subject.machine}"] if subject.machine else []
    where = {"placement": {"constraints": only}} if only else {}
    services = {
        WEB: {**serving, "ports": [f"{subject.port + 1}:80"], "deploy": {"replicas": tasks, **where}},
        PAIR: {**serving, "deploy": {"replicas": 2, **where}},
        EACH: {**alone, "ports": [own], "deploy": {"mode": "global", **where}},
        SPREAD: {**waiting, "deploy": {"replicas": len(subject.inventory.swarm_hosts), **where}},
    }
    return {name: one for name, one in services.items() if name in wanted}


def _volumes(subject: Subject, wanted: Collection[str]) -> Mapping[str, Any]:
    nodes = list(subject.nodes)
    found = {}
    for index in _shares(subject, wanted):
        export = subject.exports[index]
        options = {"type": "nfs", "o": f"addr={export.address},rw,nfsvers=4.2", "device": f":{export.path}"}
        found[share(index)] = {"hosts": nodes, "driver_opts": options}
    for index in _mounts(subject, wanted):
        options = subject.readable[index - len(subject.exports)].options
        found[share(index)] = {"hosts": nodes, "driver_opts": options}
    return found


def _shares(subject: Subject, wanted: Collection[str]) -> range:
    """The numbers of the exports of the inventory that are written to."""
    return range(len(subject.exports)) if "shares" in wanted else range(0)


def _mounts(subject: Subject, wanted: Collection[str]) -> list[int]:
    """The numbers of those that are only read, which follow."""
    numbered = enumerate(subject.readable, len(subject.exports)) if "mounts" in wanted else ()
    return [number for number, export in numbered if subject.is_mounted(export)]


def _nodes(lab: Lab, options: Options) -> list[str]:
    """The nodes that are tested.

    Raises UsageError for one that is none, and when there are none.
    """
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
    if not 1024 <= port <= 65536 - PORTS:
        raise UsageError(f"--port {port} is not the first of three free ports", remedy=f"For example --port {PORT}.")
    return port


def _outside(url: str) -> str:
    if url and not re.match(r"https?://[^\s/]+", url):
        raise UsageError(f"--outside {url} is not the URL of a page", remedy="Begin it with http:// or https://.")
    return url


def _floor(floor: str) -> str:
    if not re.fullmatch(RATE_PATTERN, floor):
        raise UsageError(
            f"--floor {floor} is not a number of bytes in a second", remedy=f"For example --floor {FLOOR}."
        )
    if size_bytes(floor) > size_bytes(_FASTEST):
        raise UsageError(
            f"--floor {floor}: the test downloads 1 MiB, so more than {_FASTEST} cannot be measured",
            remedy=f"For example --floor {_FASTEST}.",
        )
    return floor

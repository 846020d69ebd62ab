"""Advice on placement and subnets."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from clusterlab.stacks.constraints import parse_constraint

from .kind import AdviceKind, Hit, Subject

_TAKEN = {"10.0.0.0/24": "the network ingress", "172.17.0.0/16": "docker0", "172.18.0.0/16": "docker_gwbridge"}


def _unknown(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        for given in service.deploy.constraints:
            constraint = parse_constraint(given.value)
            if not constraint.known:
                yield Hit(given.place, f"{name}: {constraint.key}")


def _architectures(subject: Subject) -> Iterator[Hit]:
    for name, service in subject.services():
        for given in service.deploy.constraints:
            constraint = parse_constraint(given.value)
            if constraint.key.lower() == "node.platform.arch" and constraint.value.lower() in ("amd64", "arm64"):
                yield Hit(given.place, f"{name}: {constraint.value}")


def _overlaps(subject: Subject) -> Iterator[Hit]:
    taken = {**{ipaddress.ip_network(net): owner for net, owner in _TAKEN.items()}, subject.lan: "the lab's LAN"}
    for key in subject.stack.used_networks():
        for given in subject.stack.network(key).subnets:
            subnet = ipaddress.ip_network(given.value, strict=False)
            for other, owner in taken.items():
                if subnet.version == other.version and subnet.overlaps(other):
                    yield Hit(given.place, f"networks.{key}", more=f"{other} is that of {owner}")


KINDS = [
    AdviceKind(
        "constraint-unknown",
        "a constraint on a key that no node has",
        "nodes have no such key: no node ever matches, and no task starts",
        "Write node.labels.NAME for a label; node has id, hostname, ip, role, platform.os and platform.arch too.",
        _unknown,
    ),
    AdviceKind(
        "constraint-arch",
        "amd64 or arm64 as node.platform.arch",
        "nodes call their architecture x86_64 or aarch64: no node has this value",
        "Write x86_64 or aarch64.",
        _architectures,
    ),
    AdviceKind(
        "pool-overlap",
        "a subnet that overlaps 10.0.0.0/24, Docker's bridges or the lab's LAN",
        "the subnet overlaps another network of the nodes",
        "Choose another, such as 10.77.0.0/24.",
        _overlaps,
    ),
]

"""Advice that needs to know the nodes of a lab.

A function of a stack and of facts about the nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from clusterlab.registry import Registry
from clusterlab.stacks.constraints import Node, parse_constraint
from clusterlab.stacks.given import Given, Place
from clusterlab.stacks.mounts import has_drive
from clusterlab.stacks.stack import Service, Stack

from .kind import Advice, Hit

_LOG_DRIVERS = frozenset(
    ["", "none", "local", "json-file", "syslog", "journald", "gelf", "fluentd", "awslogs", "splunk", "gcplogs"]
)


@dataclass(frozen=True)
class NodeFacts:
    """What is known of one node. `paths` are those of `paths_of` that exist on it."""

    node: Node
    cpus: int = 2 * 10**9  # billionths
    memory: int = 2**40  # bytes
    generic_resources: Mapping[str, int] = field(default_factory=dict)
    plugins: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()


Nodes = Sequence[NodeFacts]


@dataclass(frozen=True)
class LabAdviceKind:
    """One kind of advice on a stack on a certain lab."""

    name: str
    when: str
    reason: str
    remedy: str
    find: Callable[[Stack, Nodes], Iterator[Hit]] = field(repr=False)


def matching(service: Service, nodes: Iterable[NodeFacts]) -> list[NodeFacts]:
    """The nodes that a service's constraints allow."""
    constraints = [parse_constraint(one.value) for one in service.deploy.constraints]
    return [facts for facts in nodes if all(one.matches(facts.node) for one in constraints)]


def paths_of(stack: Stack, node: Node) -> set[str]:
    """The paths on a node that binds, and volumes that are binds, need."""
    return {_on(node, path) for service in stack.services.values() for _, path, _ in _sources_of(stack, service)}


def missing_sources(stack: Stack, service: Service, facts: NodeFacts) -> list[str]:
    """The sources of a service's binds that a node does not have, as they are sent."""
    paths = dict.fromkeys(_on(facts.node, path) for _, path, _ in _sources_of(stack, service))
    return [path for path in paths if path not in facts.paths]


def _sources_of(stack: Stack, service: Service) -> Iterator[tuple[str, str, Place]]:
    """Each source of a bind as it is written, as it is sent, and where."""
    for mount in service.volumes:
        if mount.type == "bind" and not has_drive(mount.source) and not mount.source.startswith("\\\\"):
            yield mount.original, mount.source, mount.place
        volume = stack.volumes.get(mount.source) if mount.type == "volume" else None
        options = (volume.driver_opts or {}) if volume else {}
        device: Given[str] | None = options.get("device")
        if device and "bind" in _values(options.get("o")):
            yield device.value, device.value, device.place


def _values(given: Given[str] | None) -> list[str]:
    return [option.strip() for option in given.value.split(",")] if given else []


def _on(node: Node, path: str) -> str:
    """A path with the templates that are known of a node."""
    known = {"{{.Node.Hostname}}": node.hostname, "{{.Node.ID}}": node.id, "{{.Node.Platform.OS}}": node.os}
    for template, value in known.items():
        path = path.replace(template, value)
    return path


def _unmatched(stack: Stack, nodes: Nodes) -> Iterator[Hit]:
    for service in stack.services.values():
        if service.deploy.constraints and not matching(service, nodes):
            yield Hit(service.deploy.constraints[0].place, f"services.{service.name}")


def _missing_sources(stack: Stack, nodes: Nodes) -> Iterator[Hit]:
    """Of the nodes that a service may run on alone; of all where its constraints match none."""
    for service in stack.services.values():
        allowed = matching(service, nodes) or nodes
        for written, path, place in _sources_of(stack, service):
            without = [facts.node.hostname for facts in allowed if _on(facts.node, path) not in facts.paths]
            if without:
                yield Hit(place, path, written, f"missing on {', '.join(without)}")


def _too_many(stack: Stack, nodes: Nodes) -> Iterator[Hit]:
    for service in stack.services.values():
        most, count = service.deploy.max_replicas_per_node, len(matching(service, nodes))
        if most and most.value and count and (service.tasks or 0) > most.value * count:
            more = f"{service.tasks} replicas, {most.value} per node, {count} nodes"
            yield Hit(most.place, f"services.{service.name}", more=more)


def _unmatched_resources(stack: Stack, nodes: Nodes) -> Iterator[Hit]:
    for service in stack.services.values():
        wanted, candidates = service.deploy.reservations, matching(service, nodes)
        if wanted is None or not candidates:
            continue
        for one in wanted.generic_resources:
            if all(facts.generic_resources.get(one.kind, 0) < one.value for facts in candidates):
                yield Hit(one.place, f"services.{service.name}", more=f"{one.value} of {one.kind}")
        if wanted.memory and all(facts.memory < wanted.memory.value for facts in candidates):
            yield Hit(wanted.memory.place, f"services.{service.name}", more=f"memory {wanted.memory.written}")
        if wanted.cpus and all(facts.cpus < wanted.cpus.value for facts in candidates):
            yield Hit(wanted.cpus.place, f"services.{service.name}", more=f"cpus {wanted.cpus.written}")


def _missing_plugins(stack: Stack, nodes: Nodes) -> Iterator[Hit]:
    installed = frozenset[str]().union(*(facts.plugins for facts in nodes))
    for subject, driver in _drivers(stack):
        if driver.value not in installed:
            yield Hit(driver.place, subject, more=driver.written)


def _drivers(stack: Stack) -> Iterator[tuple[str, Given[str]]]:
    """The drivers that are plugins, and what they are for."""
    used = {mount.source for service in stack.services.values() for mount in service.volumes}
    for volume in stack.volumes.values():
        if volume.key in used and volume.driver and volume.driver.value not in ("", "local"):
            yield f"volumes.{volume.key}", volume.driver
    for each in stack.secrets.values():
        if each.driver and each.driver.value and not each.external:
            yield f"secrets.{each.key}", each.driver
    for key in stack.used_networks():
        network = stack.network(key)
        if network.driver and network.driver.value not in ("", "overlay") and not network.external:
            yield f"networks.{key}", network.driver
    for service in stack.services.values():
        driver = service.logging.driver if service.logging else None
        if driver and driver.value not in _LOG_DRIVERS:
            yield f"services.{service.name}.logging", driver


LAB_ADVICE = Registry(
    "clusterlab.lab_advice",
    LabAdviceKind,
    [
        LabAdviceKind(
            "constraint-unmatched",
            "no node matches the constraints of a service",
            "no node of the lab matches its constraints: its tasks stay pending",
            "Add the label to a host of the inventory, or change the constraint.",
            _unmatched,
        ),
        LabAdviceKind(
            "bind-source-missing",
            "the source of a bind, or the device of a volume that is a bind, is missing on a node where it may run",
            "a Swarm does not create the sources of binds: tasks are rejected again and again",
            "Create it on the nodes, or use a volume or config.",
            _missing_sources,
        ),
        LabAdviceKind(
            "replicas-do-not-fit",
            "max_replicas_per_node times the nodes that match is less than the replicas",
            "there are not enough nodes: some tasks stay pending",
            "Use fewer replicas, or more nodes.",
            _too_many,
        ),
        LabAdviceKind(
            "resource-unmatched",
            "no node that matches offers what a service reserves",
            "no node offers what it reserves: its tasks stay pending",
            "Reserve less, or give the nodes more; generic resources are set in the engine's daemon.json.",
            _unmatched_resources,
        ),
        LabAdviceKind(
            "plugin-missing",
            "a driver that no node has",
            "no node has this driver: no task that needs it starts",
            "Install the plugin on the nodes: docker plugin install NAME",
            _missing_plugins,
        ),
    ],
)


def advise_on_lab(stack: Stack, nodes: Nodes, mute: Iterable[str] = ()) -> list[Advice]:
    """Advice on a stack on the nodes of a lab, but for what is muted."""
    muted = set(mute)
    found = []
    for kind in LAB_ADVICE.values():
        for hit in kind.find(stack, nodes):
            key = f"{kind.name}:{hit.detail}" if hit.detail else kind.name
            if not {key, kind.name} & muted:
                message = f"{hit.subject}: {kind.reason}{f': {hit.more}' if hit.more else ''}"
                found.append(Advice(*hit.place, key, message, kind.remedy))
    return sorted(set(found))

"""Which nodes can take a service's tasks, and why the others cannot.

What swarmkit's scheduler filters by.

Source: manager/scheduler/filter.go of swarmkit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clusterlab.stacks.advice.on_lab import NodeFacts, missing_sources
from clusterlab.stacks.constraints import Constraint, Node, parse_constraint
from clusterlab.stacks.service_specs import Spec
from clusterlab.stacks.stack import Service, Stack

from .labels import own_labels
from .observed import Json

_LOCAL_DRIVERS = ("", "local")
_LOG_DRIVERS = ("", "none")
_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class NodeState:
    """A node, what it has, and what remains of it.

    `images` None: nobody looked there.
    """

    facts: NodeFacts
    trouble: str = ""  # why it takes no task at all
    free_cpus: int = 0  # billionths
    free_memory: int = 0  # bytes
    host_ports: Mapping[tuple[int, str], str] = field(default_factory=dict)  # to the service that has it
    images: frozenset[str] | None = None
    paths_known: bool = False

    @property
    def name(self) -> str:
        return self.facts.node.hostname


@dataclass(frozen=True)
class Candidates:
    """The nodes that can take the tasks of one service, and why the others cannot."""

    service: str
    tasks: int | None  # None: one on each node
    can: tuple[str, ...]
    cannot: Mapping[str, tuple[str, ...]]
    to_pull: tuple[str, ...] = ()  # nodes that can, and do not have the image
    image: str = ""

    @property
    def fits(self) -> bool:
        """Whether some node can take them."""
        return bool(self.can)


def node_states(
    nodes: Sequence[Json],
    tasks: Sequence[Json],
    services: Mapping[str, Json],
    images: Mapping[str, frozenset[str]],
    paths: Mapping[str, frozenset[str]],
) -> list[NodeState]:
    """The nodes as the manager lists them.

    `images` and `paths` are what hosts of the lab have, by node id.
    """
    names = {one["ID"]: name for name, one in services.items()}
    states = []
    for one in nodes:
        node, described = one["ID"], one["Description"]
        here = [task for task in tasks if task.get("NodeID") == node and task.get("DesiredState") == "running"]
        resources = described.get("Resources") or {}
        reserved = [(task["Spec"].get("Resources") or {}).get("Reservations") or {} for task in here]
        states.append(
            NodeState(
                NodeFacts(
                    _node(one),
                    resources.get("NanoCPUs", 0),
                    resources.get("MemoryBytes", 0),
                    _generic(resources.get("GenericResources")),
                    frozenset(plugin["Name"] for plugin in described["Engine"].get("Plugins") or []),
                    paths.get(node, frozenset()),
                ),
                _trouble(one),
                resources.get("NanoCPUs", 0) - sum(used.get("NanoCPUs", 0) for used in reserved),
                resources.get("MemoryBytes", 0) - sum(used.get("MemoryBytes", 0) for used in reserved),
                {
                    (port["PublishedPort"], port.get("Protocol", "tcp")): names.get(task["ServiceID"], "another")
                    for task in here
                    for port in ((task.get("Status") or {}).get("PortStatus") or {}).get("Ports") or []
                },
                images.get(node),
                node in paths,
            )
        )
    return sorted(states, key=lambda state: state.name)


def candidates(
    stack: Stack, service: Service, spec: Spec, found: Spec | None, nodes: Sequence[NodeState]
) -> Candidates:
    """Which nodes can take the tasks of a service of a stack.

    `found` is its spec as it is, if it is there.
    """
    name = stack.scoped(service.name)
    reasons = {node.name: tuple(_reasons(stack, service, spec, found or {}, name, node)) for node in nodes}
    image = str(spec["TaskTemplate"]["ContainerSpec"]["Image"])
    can = tuple(node.name for node in nodes if not reasons[node.name])
    to_pull = tuple(
        node.name for node in nodes if node.name in can and node.images is not None and image not in node.images
    )
    return Candidates(name, service.tasks, can, {one: why for one, why in reasons.items() if why}, to_pull, image)


def _reasons(stack: Stack, service: Service, spec: Spec, found: Spec, name: str, node: NodeState) -> Iterator[str]:
    if node.trouble:
        yield node.trouble
    for given in service.deploy.constraints:
        constraint = parse_constraint(given.value)
        if not constraint.matches(node.facts.node):
            yield f"constraint {given.value}: {_has(constraint, node.facts.node)}"
    yield from _resources(spec, found, name, node)
    for port in service.ports:
        taken = node.host_ports.get((port.published, port.protocol.lower() or "tcp"))
        if port.mode.lower() == "host" and port.published and taken and taken != name:
            yield f"host port {port.published} is taken by the service {taken}"
    yield from _plugins(stack, service, node)
    if node.paths_known:
        for source in missing_sources(stack, service, node.facts):
            yield f"bind source {source} does not exist"
    yield from _platform(found, node)


def _has(constraint: Constraint, node: Node) -> str:
    """What a node has where a constraint looks."""
    key = constraint.key.lower()
    for prefix, what, labels in (
        ("node.labels.", "labels", node.labels),
        ("engine.labels.", "engine labels", node.engine_labels),
    ):
        if key.startswith(prefix):
            return f"its {what} are {', '.join(f'{key}={value}' for key, value in sorted(labels.items())) or 'none'}"
    known = {"node.id": node.id, "node.hostname": node.hostname, "node.ip": node.address, "node.role": node.role,
             "node.platform.os": node.os, "node.platform.arch": node.arch}  # fmt: skip
    return f"it is {known[key]}" if key in known else "no node has such a key"


def _resources(spec: Spec, found: Spec, name: str, node: NodeState) -> Iterator[str]:
    """What a task reserves and the node does not have left.

    The service's own old task makes room for its new one.
    """
    wanted = (spec["TaskTemplate"].get("Resources") or {}).get("Reservations") or {}
    own = ((found.get("TaskTemplate") or {}).get("Resources") or {}).get("Reservations") or {}
    cpus, memory = wanted.get("NanoCPUs", 0), wanted.get("MemoryBytes", 0)
    if cpus > node.free_cpus + own.get("NanoCPUs", 0):
        yield f"it reserves {cpus / 1e9:g} CPUs, and {node.free_cpus / 1e9:g} are not reserved"
    if memory > node.free_memory + own.get("MemoryBytes", 0):
        yield f"it reserves {_mib(memory)} MiB of memory, and {_mib(node.free_memory)} MiB are not reserved"
    for kind, amount in _generic(wanted.get("GenericResources")).items():
        if amount > (has := node.facts.generic_resources.get(kind, 0)):
            yield f"it reserves {amount} of {kind}, and the node has {has}"


def _plugins(stack: Stack, service: Service, node: NodeState) -> Iterator[str]:
    for mount in service.volumes:
        volume = stack.volumes.get(mount.source) if mount.type == "volume" else None
        driver = volume.driver.value if volume and volume.driver else ""
        if driver not in (*_LOCAL_DRIVERS, *node.facts.plugins):
            yield f"it has no volume plugin {driver}"
    driver = service.logging.driver.value if service.logging and service.logging.driver else ""
    if driver not in (*_LOG_DRIVERS, *node.facts.plugins):
        yield f"it has no log driver {driver}"


def _platform(found: Spec, node: NodeState) -> Iterator[str]:
    """The platforms that a registry named for the image at the deployment."""
    platforms = ((found.get("TaskTemplate") or {}).get("Placement") or {}).get("Platforms") or []
    arch = _ARCH.get(node.facts.node.arch, node.facts.node.arch)
    if platforms and not any(
        one.get("OS") in ("", None, node.facts.node.os) and one.get("Architecture") in ("", None, arch)
        for one in platforms
    ):
        listed = ", ".join(sorted({f"{one.get('OS')}/{one.get('Architecture')}" for one in platforms}))
        yield f"the image is for {listed}, and the node is {node.facts.node.os}/{arch}"


def _trouble(one: Json) -> str:
    state = (one.get("Status") or {}).get("State", "unknown")
    if state != "ready":
        return f"the node is {state}"
    availability = one["Spec"].get("Availability", "active")
    return "" if availability == "active" else f"its availability is {availability}"


def _node(one: Json) -> Node:
    described = one["Description"]
    platform = described.get("Platform") or {}
    return Node(
        one["ID"],
        described.get("Hostname", ""),
        (one.get("Status") or {}).get("Addr", ""),
        one["Spec"].get("Role", "worker"),
        platform.get("OS", "linux"),
        platform.get("Architecture", ""),
        own_labels(one["Spec"].get("Labels")),
        described["Engine"].get("Labels") or {},
    )


def _generic(listed: Sequence[Mapping[str, Any]] | None) -> dict[str, int]:
    """Generic resources by kind: a number, or how many are named."""
    found: dict[str, int] = {}
    for one in listed or []:
        if discrete := one.get("DiscreteResourceSpec"):
            found[discrete["Kind"]] = found.get(discrete["Kind"], 0) + int(discrete["Value"])
        elif named := one.get("NamedResourceSpec"):
            found[named["Kind"]] = found.get(named["Kind"], 0) + 1
    return found


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f}"

"""What refuses a stack on a certain Swarm.

A function of the stack and of what exists there.

Sources: validateExternalNetworks of docker/cli; swarmkit's checkPortConflicts, errModeChangeNotAllowed, and the updates
of secrets and configs, whose data cannot change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from clusterlab.model.problems import Problem

from .given import Content
from .service_rules import PublishedPort, published
from .stack import FileObject, Network, Service, Stack

_NODE_NETWORKS = ("default", "bridge", "host", "none")
_SUBPATH_SINCE = (26, 1)


@dataclass(frozen=True)
class ExistingService:
    """A service of the Swarm: its mode as of `deploy.mode`, and its published ports."""

    mode: str
    ports: frozenset[PublishedPort] = frozenset()


@dataclass(frozen=True)
class Existing:
    """What the Swarm has, by name.

    The content of a config is None where it was not read; secrets cannot be read.
    """

    networks: Mapping[str, str] = field(default_factory=dict)  # name to scope
    configs: Mapping[str, Content | None] = field(default_factory=dict)
    secrets: Mapping[str, Content | None] = field(default_factory=dict)
    services: Mapping[str, ExistingService] = field(default_factory=dict)
    oldest_engine: tuple[int, int] = (99, 0)


def refused_at_plan(stack: Stack, existing: Existing) -> Iterator[Problem]:
    """Why the stack cannot be deployed where `existing` is.

    Nothing is touched while there is a reason.
    """
    for key in stack.used_networks():
        if key in stack.networks and stack.networks[key].external:
            yield from _network(stack, stack.networks[key], existing)
    yield from _files(stack, "configs", stack.configs, existing.configs)
    yield from _files(stack, "secrets", stack.secrets, existing.secrets)
    for service in stack.services.values():
        yield from _mode(stack, service, existing)
        yield from _ports(stack, service, existing)
        yield from _subpaths(service, existing)


def _network(stack: Stack, network: Network, existing: Existing) -> Iterator[Problem]:
    name, place = stack.scoped(network), network.name.place if network.name else network.place
    if name in _NODE_NETWORKS:
        return
    scope = existing.networks.get(name)
    if scope is None:
        yield place.problem(
            f"networks.{network.key}: the external network '{name}' does not exist",
            f"Create it: docker network create --driver overlay {name}",
        )
    elif scope != "swarm":
        yield place.problem(
            f"networks.{network.key}: the external network '{name}' is of scope {scope}, not of the Swarm",
            f"Create it with another name: docker network create --driver overlay {name}2",
        )


def _files(
    stack: Stack, kind: str, objects: Mapping[str, FileObject], known: Mapping[str, Content | None]
) -> Iterator[Problem]:
    singular = kind.removesuffix("s")
    for each in objects.values():
        name, place = stack.scoped(each), each.name.place if each.name else each.place
        # "secrets.key: ..." would look like a secret to what keeps these out of reports.
        if each.external and name not in known and _is_used(stack, kind, each.key):
            yield place.problem(
                f"the external {singular} '{name}' ({kind}.{each.key}) does not exist",
                f"Create it: docker {singular} create {name} FILE",
            )
        elif not each.external and each.content and (before := known.get(name)) and before != each.content:
            yield place.problem(
                f"the {singular} '{name}' ({kind}.{each.key}) exists with other content, which cannot change",
                f"Give the new one another name, such as name: {name}_2.",
            )


def _is_used(stack: Stack, kind: str, key: str) -> bool:
    for service in stack.services.values():
        references = service.configs if kind == "configs" else service.secrets
        spec = service.credential_spec
        if any(one.source == key for one in references):
            return True
        if kind == "configs" and spec and spec.config and spec.config.value == key:
            return True
    return False


def _mode(stack: Stack, service: Service, existing: Existing) -> Iterator[Problem]:
    before = existing.services.get(stack.scoped(service.name))
    if before and before.mode != service.mode:
        place = service.deploy.mode.place if service.deploy.mode else service.place
        yield place.problem(
            f"services.{service.name}: the service exists with mode {before.mode}, which cannot become {service.mode}",
            f"Remove it first: docker service rm {stack.scoped(service.name)}",
        )


def _ports(stack: Stack, service: Service, existing: Existing) -> Iterator[Problem]:
    own = {stack.scoped(one.name) for one in stack.services.values()}
    for port in service.ports:
        for name, other in existing.services.items():
            if name not in own and any(published(port).conflicts(taken) for taken in other.ports):
                yield port.place.problem(
                    f"services.{service.name}: {port.published} is published by the service {name}",
                    "Publish another port.",
                )


def _subpaths(service: Service, existing: Existing) -> Iterator[Problem]:
    for mount in service.volumes:
        if mount.subpath and existing.oldest_engine < _SUBPATH_SINCE:
            version = ".".join(map(str, existing.oldest_engine))
            yield mount.place.problem(
                f"services.{service.name}: an engine {version} mounts the whole volume instead of {mount.subpath}",
                "Update the engines to 26.1 or later, or leave subpath out.",
            )

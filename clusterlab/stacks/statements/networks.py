"""Statements about networks.

Published ports, names, and which services reach each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from clusterlab.model.problems import listed as in_words
from clusterlab.stacks.service_rules import published as as_published
from clusterlab.stacks.service_specs import listed, value
from clusterlab.stacks.stack import Attachment, Service, Stack

from .statement import Statement, statement

_OF_NODES = ("default", "bridge", "host", "none")
_VIRTUAL = ("ipvs",)


def published(stack: Stack, service: Service) -> Iterator[Statement]:
    """Published TCP ports answer: on every node, or where a task is.

    Of UDP nothing can be said from outside.
    """
    name = stack.scoped(service.name)
    for port in service.ports:
        number, protocol, mode = as_published(port)
        if protocol != "tcp" or not number:
            continue
        ingress = mode == "ingress"
        where = "on every node" if ingress else "on each node with a task"
        title = f"port {port.published} of {name} answers {where}"
        probe = {"service": name, "port": port.published, "mode": "ingress" if ingress else "host"}
        yield statement("published", service.name, title, "published", probe, _VIRTUAL if ingress else ())


def names(stack: Stack, service: Service) -> Iterator[Statement]:
    """Names and aliases resolve to the service's own addresses.

    In itself and in services that share a network.
    """
    attachments = overlays(stack, service)
    if not attachments:
        return
    aliases = [set(listed(one.aliases)) for one in attachments.values()]
    name = stack.scoped(service.name)
    known = [service.name, name, *sorted(set.intersection(*aliases) - {service.name, name})]
    sources = sorted({name, *neighbours(stack, service)})
    title = f"{in_words(known)} resolve to addresses of {name} alone"
    probe = {"service": name, "from": sources, "names": known}
    yield statement("names", service.name, title, "service_names", probe)


def reached(stack: Stack, service: Service) -> Iterator[Statement]:
    """Each port is reached from services that share a network, between all nodes.

    Ports on which tasks listen.
    """
    name, others = stack.scoped(service.name), neighbours(stack, service)
    if not overlays(stack, service):
        return
    if others or service.tasks != 1:
        sources = sorted({name, *others})
        title = f"tasks of {in_words(sources)} reach {name} by ping, and on each port on which it listens"
        yield statement("reached", service.name, title, "service_reach", {"service": name, "from": sources})
    if others and (value(service.deploy.endpoint_mode) or "vip") == "vip":
        title = f"tasks of {in_words(others)} reach {name} at its virtual address, on each port on which it listens"
        probe = {"service": name, "from": others, "virtual": True}
        yield statement("virtual", service.name, title, "service_reach", probe, _VIRTUAL)


def apart(stack: Stack, service: Service) -> Iterator[Statement]:
    """Services of the stack that share no network with it do not reach it."""
    if not overlays(stack, service):
        return
    near = {stack.scoped(service.name), *neighbours(stack, service)}
    others = [other for other in stack.services.values() if overlays(stack, other) and _has_tasks(other)]
    strangers = sorted({stack.scoped(other.name) for other in others} - near)
    if strangers:
        name = stack.scoped(service.name)
        title = f"tasks of {in_words(strangers)}, which share no network with {name}, do not reach it"
        yield statement("apart", service.name, title, "service_apart", {"service": name, "from": strangers})


def overlays(stack: Stack, service: Service) -> Mapping[str, Attachment]:
    """The networks of the Swarm that a service is on, by their names on the engine."""
    found = {stack.scoped_network(key): one for key, one in stack.networks_of(service).items()}
    return {name: one for name, one in found.items() if name not in _OF_NODES}


def neighbours(stack: Stack, service: Service) -> list[str]:
    """The other services of the stack that share a network and have lasting tasks."""
    own = overlays(stack, service).keys()
    return sorted(
        stack.scoped(other.name)
        for other in stack.services.values()
        if other.name != service.name and _has_tasks(other) and own & overlays(stack, other).keys()
    )


def _has_tasks(service: Service) -> bool:
    return not service.is_job and service.tasks != 0

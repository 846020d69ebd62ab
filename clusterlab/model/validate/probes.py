"""What is wrong with the names in a probe.

Its places, and the containers, services and ports that it is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..base import Model
from ..probes import Address, Control, Probe, PublishedPort
from ..problems import Problem, either, listed, suggest
from ..short_syntax import parse_port
from ..source import KeyPath
from .files import Files, PlayFile, item
from .places import named_hosts


def names_exist(files: Files, file: PlayFile, path: KeyPath, probe: Model) -> Iterator[Problem]:
    """What is wrong with the names in every key of a probe, and in its control."""
    if isinstance(probe, Probe | Control):
        yield from places_exist(files, file, path, probe.on, probe.in_)
    for name, field in type(probe).model_fields.items():
        value, inner = getattr(probe, name), (*path, field.alias or name)
        if isinstance(value, Address):
            yield from _address(file, inner, value)
        elif isinstance(value, PublishedPort):
            yield from _published(file, inner, value)
        elif isinstance(value, Control):
            yield from names_exist(files, file, inner, value)
        elif isinstance(value, list):
            for index, one in enumerate(value):
                if isinstance(one, Address):
                    yield from _address(file, (*inner, index), one)


def places_exist(
    files: Files, file: PlayFile, path: KeyPath, on: Sequence[str], inside: Sequence[str]
) -> Iterator[Problem]:
    """What is wrong with the hosts and roles of `on` and the containers of `in`."""
    yield from named_hosts(files, file, (*path, "on"), on)
    yield from containers_exist(files, file, path, inside)


def containers_exist(files: Files, file: PlayFile, path: KeyPath, names: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with the containers of `in`."""
    for index, name in enumerate(names):
        yield from _container(files, file, item(file.document, (*path, "in"), index), name)


def _container(files: Files, file: PlayFile, path: KeyPath, name: str) -> Iterator[Problem]:
    if file.play.host_of(name):
        return
    others = [other.name for other in files.plays.values() if name in other.play.containers]
    if name in files.places:
        yield file.problem(path, f"'{name}' is not a container", "Hosts and roles belong in on:, containers in in:.")
    elif others:
        yield file.problem(
            path, f"this play has no container '{name}': the play '{others[0]}' has", "Put the check there."
        )
    else:
        yield unknown_container(file, path, name)


def unknown_container(file: PlayFile, path: KeyPath, name: str) -> Problem:
    group = name.partition("@")[0]
    if instances := file.play.instances.get(group):
        names = [f"{group}@{host}" for host in instances]
        if group == name:
            return file.problem(path, f"'{name}' is a container on each of several hosts", f"Name {either(names)}.")
        return file.problem(path, f"there is no '{name}'", suggest(name, names, "There is"))
    remedy = suggest(name, file.play.known_containers, "Containers")
    return file.problem(path, f"this play has no container '{name}'", remedy)


def unknown_service(file: PlayFile, path: KeyPath, name: str) -> Problem:
    return file.problem(path, f"this play has no service '{name}'", suggest(name, file.play.known_services, "Services"))


def _address(file: PlayFile, path: KeyPath, target: Address) -> Iterator[Problem]:
    if target.service is not None:
        yield from _service_address(file, path, target.service, target.network)
    else:
        yield from _container_address(file, path, str(target.container), target.network)


def _container_address(file: PlayFile, path: KeyPath, name: str, network: str) -> Iterator[Problem]:
    container = file.container(name)
    if name in file.play.external.containers:
        return
    if container is None:
        yield unknown_container(file, (*path, "container"), name)
        return
    on = list(container.networks) or [container.network_mode or "bridge"]
    if network not in on:
        message = f"the container '{name}' is not on a network '{network}'"
        yield file.problem((*path, "network"), message, suggest(network, on, "It is on"))
    elif network in ("host", "none"):
        yield file.problem((*path, "network"), f"a container has no address of its own on the network '{network}'")


def _service_address(file: PlayFile, path: KeyPath, name: str, network: str) -> Iterator[Problem]:
    service = file.play.services.get(name)
    if name in file.play.external.services:
        return
    if service is None:
        yield unknown_service(file, (*path, "service"), name)
    elif network not in service.networks:
        message = f"the service '{name}' is not on a network '{network}'"
        yield file.problem((*path, "network"), message, suggest(network, service.networks, "It is on"))


def _published(file: PlayFile, path: KeyPath, port: PublishedPort) -> Iterator[Problem]:
    container = file.container(port.container)
    if port.container in file.play.external.containers:
        return
    if container is None:
        yield unknown_container(file, (*path, "container"), port.container)
        return
    published = {parse_port(text).port for text in container.ports}
    if port.published not in published:
        message = f"the container '{port.container}' publishes no port {port.published}"
        remedy = f"It publishes {listed(sorted(published))}." if published else "Add it to ports of the container."
        yield file.problem((*path, "published"), message, remedy)

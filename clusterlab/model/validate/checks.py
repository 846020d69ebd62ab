"""What checks name: places, containers on networks, and the objects that they inspect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..checks import (
    Action,
    Address,
    AnyProbe,
    Connection,
    Control,
    InspectProbe,
    PublishedPort,
    RunProbe,
    SharedFileProbe,
    VethProbe,
)
from ..problems import Problem, listed, suggest
from ..short_syntax import parse_port
from ..source import KeyPath
from .files import Files, PlayFile, item
from .networks import container_on
from .places import image_there, named_docker_hosts, named_hosts
from .volumes import mounts_there, sources_there

_PREDEFINED = ("bridge", "host", "none")


def problems(files: Files) -> Iterator[Problem]:
    for file in files.plays.values():
        for index, check in enumerate(file.play.checks):
            path: KeyPath = ("checks", index)
            for inner, probe in check.probes():
                yield from _probe(files, file, (*path, *inner), probe)
            for number, step in enumerate(check.steps):
                if step.do is not None:
                    yield from _action(files, file, (*path, "steps", number, "do"), step.do)
            for number, command in enumerate(check.finally_):
                yield from _where(files, file, (*path, "finally", number), command.on, command.in_)


def _probe(files: Files, file: PlayFile, path: KeyPath, probe: AnyProbe) -> Iterator[Problem]:
    if isinstance(probe, InspectProbe):
        yield from _inspect(files, file, path, probe)
        return
    if isinstance(probe, RunProbe):
        yield from _run(files, file, path, probe)
        return
    if isinstance(probe, VethProbe):
        yield from _veth(files, file, path, probe)
        return
    yield from _where(files, file, path, probe.on, probe.in_)
    if isinstance(probe, SharedFileProbe) and len({*files.expand(probe.on), *probe.in_}) == 1:
        yield file.problem(path, "one place alone shares nothing", "Name at least two places.", key=True)
    for key in ("to", "is_"):
        yield from _address(file, (*path, key.rstrip("_")), getattr(probe, key, None))
    port = getattr(probe, "port", None)
    if isinstance(port, PublishedPort):
        yield from _published(file, (*path, "port"), port)
    control = getattr(probe, "control", None)
    if isinstance(control, Control):
        yield from _where(files, file, (*path, "control"), control.on, control.in_)
        yield from _address(file, (*path, "control", "to"), control.to)


def _where(files: Files, file: PlayFile, path: KeyPath, on: Sequence[str], inside: Sequence[str]) -> Iterator[Problem]:
    yield from named_hosts(files, file, (*path, "on"), on)
    for index, name in enumerate(inside):
        yield from _container(files, file, item(file.document, (*path, "in"), index), name)


def _container(files: Files, file: PlayFile, path: KeyPath, name: str) -> Iterator[Problem]:
    if name in file.play.containers:
        return
    others = [other.name for other in files.plays.values() if name in other.play.containers]
    if name in files.places:
        yield file.problem(path, f"'{name}' is no container", "Hosts and roles stand in on:, containers in in:.")
    elif others:
        yield file.problem(
            path, f"this play has no container '{name}': the play '{others[0]}' has", "Put the check there."
        )
    else:
        yield _unknown_container(file, path, name)


def _unknown_container(file: PlayFile, path: KeyPath, name: str) -> Problem:
    remedy = suggest(name, file.play.containers, "Containers")
    return file.problem(path, f"this play has no container '{name}'", remedy)


def _address(file: PlayFile, path: KeyPath, target: object) -> Iterator[Problem]:
    if isinstance(target, Address):
        if target.service is not None:
            yield from _service_address(file, path, target.service, target.network)
        else:
            yield from _container_address(file, path, str(target.container), target.network)


def _container_address(file: PlayFile, path: KeyPath, name: str, network: str) -> Iterator[Problem]:
    container = file.container(name)
    if container is None:
        yield _unknown_container(file, (*path, "container"), name)
        return
    on = list(container.networks) or [container.network_mode or "bridge"]
    if network not in on:
        message = f"the container '{name}' is not on a network '{network}'"
        yield file.problem((*path, "network"), message, suggest(network, on, "It is on"))
    elif network in ("host", "none"):
        yield file.problem((*path, "network"), f"a container has no address of its own on the network '{network}'")


def _service_address(file: PlayFile, path: KeyPath, name: str, network: str) -> Iterator[Problem]:
    service = file.play.services.get(name)
    if service is None:
        yield _unknown_service(file, (*path, "service"), name)
    elif network not in service.networks:
        message = f"the service '{name}' is not on a network '{network}'"
        yield file.problem((*path, "network"), message, suggest(network, service.networks, "It is on"))


def _unknown_service(file: PlayFile, path: KeyPath, name: str) -> Problem:
    return file.problem(path, f"this play has no service '{name}'", suggest(name, file.play.services, "Services"))


def _published(file: PlayFile, path: KeyPath, port: PublishedPort) -> Iterator[Problem]:
    container = file.container(port.container)
    if container is None:
        yield _unknown_container(file, (*path, "container"), port.container)
        return
    published = {parse_port(text).port for text in container.ports}
    if port.published not in published:
        message = f"the container '{port.container}' publishes no port {port.published}"
        remedy = f"It publishes {listed(sorted(published))}." if published else "Add it to ports of the container."
        yield file.problem((*path, "published"), message, remedy)


def _veth(files: Files, file: PlayFile, path: KeyPath, probe: VethProbe) -> Iterator[Problem]:
    network = file.play.networks.get(probe.network)
    if network is None and probe.network != "bridge":
        known = ["bridge", *file.play.networks]
        message = f"this play has no network '{probe.network}'"
        yield file.problem((*path, "network"), message, suggest(probe.network, known, "Networks"))
    elif network is not None and network.driver != "bridge":
        message = f"'{probe.network}' is a network of driver {network.driver}, without a bridge on the host"
        yield file.problem((*path, "network"), message, "Name a bridge network.")
    for index, name in enumerate(probe.in_):
        yield from _container(files, file, item(file.document, (*path, "in"), index), name)


def _action(files: Files, file: PlayFile, path: KeyPath, action: Action) -> Iterator[Problem]:
    value = getattr(action, action.name)
    path = (*path, action.name)
    if action.service:
        yield from _service_action(file, path, action)
        return
    if action.drain is not None:
        yield from _drain(files, file, path, action.drain)
        return
    if not isinstance(value, Connection):
        if value not in file.play.containers:
            yield _unknown_container(file, path, value)
        return
    container = file.container(value.container)
    if container is None:
        yield _unknown_container(file, (*path, "container"), value.container)
    elif value.network in ("host", "none"):
        message = f"a container is on the network '{value.network}' from its start, or never"
        yield file.problem((*path, "network"), message, "Write network_mode in another container.")
    elif value.network != "bridge":
        yield from container_on(files, file, (*path, "network"), value.network, container.host)


def _service_action(file: PlayFile, path: KeyPath, action: Action) -> Iterator[Problem]:
    service = file.play.services.get(action.service)
    if service is None:
        yield _unknown_service(file, (*path, "service"), action.service)
    elif action.scale is not None and service.deploy.mode == "global":
        message = f"the service '{action.service}' is global: it has one task per node"
        yield file.problem((*path, "service"), message, "Name a service with deploy.mode: replicated.")


def _drain(files: Files, file: PlayFile, path: KeyPath, host: str) -> Iterator[Problem]:
    members = files.inventory.swarm_hosts
    if host not in members:
        remedy = suggest(host, members, "Its hosts") if members else "Give a Docker host the role swarm_manager."
        yield file.problem(path, f"the Swarm has no host '{host}'", remedy)


def _run(files: Files, file: PlayFile, path: KeyPath, probe: RunProbe) -> Iterator[Problem]:
    yield from named_docker_hosts(files, file, (*path, "on"), probe.on)
    yield from image_there(files, file, (*path, "image"), probe.image)
    hosts = files.expand(probe.on)
    yield from mounts_there(files, file, (*path, "volumes"), probe.volumes, hosts)
    yield from sources_there(file, (*path, "volumes_from"), probe.volumes_from, hosts)
    for index, network in enumerate(probe.networks):
        for host in hosts:
            yield from container_on(files, file, item(file.document, (*path, "networks"), index), network, host)


def _inspect(files: Files, file: PlayFile, path: KeyPath, probe: InspectProbe) -> Iterator[Problem]:
    yield from named_docker_hosts(files, file, (*path, "on"), probe.on)
    play = file.play
    known: dict[str, Sequence[str]] = {
        "volume": list(play.volumes),
        "network": [*play.networks, *_PREDEFINED],
        "container": list(play.containers),
        "service": list(play.services),
        "tasks": list(play.services),
        "image": list(files.inventory.images),
        "node": files.inventory.swarm_hosts,
    }
    for kind, names in known.items():
        name = getattr(probe, kind)
        if name is not None and name not in names:
            owner = {"image": "the inventory", "node": "the Swarm"}.get(kind, "this play")
            noun = "service" if kind == "tasks" else kind
            yield file.problem(
                (*path, kind), f"{owner} has no {noun} '{name}'", suggest(name, names, f"{noun.capitalize()}s")
            )
    container = play.containers.get(probe.container or "")
    if container is not None and probe.on and files.expand(probe.on) != [container.host]:
        message = f"the container '{probe.container}' is on {container.host} alone"
        yield file.problem((*path, "on"), message, "Leave on: out.")
    if probe.same and len(_asked(files, file, probe)) < 2:
        yield file.problem((*path, "same"), "only one host is asked, so 'same' asserts nothing", key=True)


def _asked(files: Files, file: PlayFile, probe: InspectProbe) -> Sequence[str]:
    """The hosts that are asked, as far as files can tell."""
    if probe.on:
        return files.expand(probe.on)
    if probe.container:
        return [""]
    volume = file.play.volumes.get(probe.volume or "")
    network = file.play.networks.get(probe.network or "")
    if volume is not None:
        return files.expand(volume.hosts)
    if network is not None and network.driver != "overlay":
        return files.expand(network.hosts)
    return files.inventory.docker_hosts

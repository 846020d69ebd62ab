"""Networks that containers and services are on, and address ranges."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, ip_address, ip_network

from ..compose_forms import Attachment
from ..playbook import Network
from ..problems import Problem, listed, suggest
from ..source import KeyPath
from .files import Files, PlayFile, item

_PREDEFINED = ("bridge", "host", "none")


def problems(files: Files) -> Iterator[Problem]:
    for file in files.plays.values():
        for name, container in file.play.containers.items():
            path: KeyPath = ("containers", name, "networks")
            for network, attachment in container.networks.items():
                where = _item(file, path, network, list(container.networks))
                yield from container_on(files, file, where, network, container.host)
                yield from _address(file, (*path, network, "ipv4_address"), network, attachment)
        for name, service in file.play.services.items():
            path = ("services", name, "networks")
            for network, attachment in service.networks.items():
                where = _item(file, path, network, list(service.networks))
                yield from _service_on(file, where, network)
                if attachment is not None and attachment.ipv4_address is not None:
                    message = "a service has no fixed address: its tasks each get one"
                    yield file.problem((*path, network, "ipv4_address"), message, "Leave it out.")
    yield from _ranges(files)


def _item(file: PlayFile, path: KeyPath, network: str, names: list[str]) -> KeyPath:
    """The path of one network in either form, mapping or list."""
    as_key = (*path, network)
    return as_key if as_key in file.document.keys else item(file.document, path, names.index(network))


def _unknown(file: PlayFile, path: KeyPath, network: str) -> Problem:
    if network in _PREDEFINED:
        return file.problem(
            path, f"'{network}' is not a network of this play", f"Write network_mode: {network}.", key=True
        )
    remedy = suggest(network, file.play.networks, "Networks") or "Add it under networks: of this play."
    return file.problem(path, f"this play has no network '{network}'", remedy, key=True)


def container_on(files: Files, file: PlayFile, path: KeyPath, name: str, host: str) -> Iterator[Problem]:
    """What keeps a container on `host` from being on the network `name`."""
    network = file.play.networks.get(name)
    if network is None:
        yield _unknown(file, path, name)
    elif network.driver == "overlay":
        if not network.attachable:
            place = file.place_of(("networks", name))
            remedy = f"Add attachable: true to it ({place}), or write a service."
            yield file.problem(path, f"the overlay network '{name}' is for services only", remedy, key=True)
        if (
            files.inventory.swarm_hosts
            and host in files.inventory.docker_hosts
            and host not in files.inventory.swarm_hosts
        ):
            remedy = f"Give {host} the role swarm_worker."
            yield file.problem(
                path, f"'{host}' is not in the Swarm that the overlay network '{name}' spans", remedy, key=True
            )
    elif host in files.inventory.docker_hosts and host not in files.expand(network.hosts):
        remedy = f"Add {host} to its hosts ({file.place_of(('networks', name, 'hosts'))})."
        yield file.problem(path, f"the network '{name}' is not on {host}", remedy, key=True)


def _service_on(file: PlayFile, path: KeyPath, name: str) -> Iterator[Problem]:
    network = file.play.networks.get(name)
    if network is None:
        yield _unknown(file, path, name)
    elif network.driver != "overlay":
        message = f"a service needs an overlay network, and '{name}' is a {network.driver} network"
        yield file.problem(path, message, "Give the network driver: overlay.", key=True)


def _address(file: PlayFile, path: KeyPath, name: str, attachment: Attachment | None) -> Iterator[Problem]:
    network = file.play.networks.get(name)
    if network is None or attachment is None or attachment.ipv4_address is None:
        return
    try:
        address = ip_address(attachment.ipv4_address)
    except ValueError:
        yield file.problem(path, f"'{attachment.ipv4_address}' is not an IP address")
        return
    subnets = list(_subnets(network))
    if not subnets:
        remedy = f"Add ipam: {{config: [{{subnet: ...}}]}} to it ({file.place_of(('networks', name))})."
        yield file.problem(path, f"a fixed address needs a subnet, and the network '{name}' has none", remedy)
    elif not any(address in subnet for subnet in subnets):
        yield file.problem(path, f"{address} is outside the subnet {listed(subnets)} of the network '{name}'")


def _subnets(network: Network) -> Iterator[IPv4Network]:
    for config in network.ipam.config:
        if config.subnet is not None:
            found = ip_network(config.subnet)
            if isinstance(found, IPv4Network):
                yield found


def _ranges(files: Files) -> Iterator[Problem]:
    """Overlapping address ranges.

    The engine refuses the second, and none may hide the LAN.
    """
    before: list[tuple[PlayFile, str, IPv4Network, list[str]]] = []
    for file in files.plays.values():
        for name, network in file.play.networks.items():
            overlay = network.driver == "overlay"
            hosts = files.inventory.docker_hosts if overlay else files.expand(network.hosts)
            for subnet in _subnets(network):
                path = ("networks", name, "ipam", "config")
                if files.lan is not None and subnet.overlaps(files.lan) and network.driver in ("bridge", "overlay"):
                    message = f"{subnet} overlaps the lab's own network {files.lan}"
                    yield file.problem(path, message, "Choose another subnet.", key=True)
                for other_file, other, taken, other_hosts in before:
                    common = [host for host in hosts if host in other_hosts]
                    if common and subnet.overlaps(taken):
                        there = other_file.place_of(("networks", other))
                        message = f"{subnet} overlaps {taken} of the network '{other}' on {listed(common)} ({there})"
                        yield file.problem(path, message, "Choose another subnet for one of them.", key=True)
                before.append((file, name, subnet, hosts))

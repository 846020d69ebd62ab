"""What the engine refuses in networks, volumes, configs and secrets.

Sources: swarmkit's controlapi (common.go, network.go), moby's ValidateIPAM, the engine's names of volumes.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping

from clusterlab.model.problems import Problem
from clusterlab.model.reserved import OBJECT_PREFIX

from .given import Place
from .stack import FileObject, Network, Stack, Volume

_DNS_NAME = re.compile(r"[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*")
_FILE_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9])?")
_VOLUME_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_LONGEST_NETWORK, _LONGEST_FILE = 63, 64
_LOCAL = ("bridge", "host", "none", "null", "macvlan", "ipvlan")


def object_problems(stack: Stack) -> Iterator[Problem]:
    """Everything that the engine refuses in what the stack makes beside services."""
    for key in stack.used_networks():
        if key in stack.networks:
            yield from _network(stack, stack.networks[key])
    used = {mount.source for service in stack.services.values() for mount in service.volumes if mount.type == "volume"}
    for volume in stack.volumes.values():
        if volume.key in used:
            yield from _volume(stack, volume)
    yield from _reserved(stack)
    yield from file_problems(stack)


def file_problems(stack: Stack) -> Iterator[Problem]:
    """What the engine refuses in the names of configs and secrets."""
    yield from _files(stack, "configs", stack.configs)
    yield from _files(stack, "secrets", stack.secrets)


def _reserved(stack: Stack) -> Iterator[Problem]:
    """Of services, networks and volumes that are called as clusterlab calls its own.

    The engine would take them.
    """
    named = [(f"services.{key}", stack.scoped(key), service.place) for key, service in stack.services.items()]
    for section, things in (("networks", stack.networks), ("volumes", stack.volumes)):
        for each in things.values():
            if not each.external:
                place = each.name.place if each.name else each.place
                named.append((f"{section}.{each.key}", stack.scoped(each), place))
    for subject, name, place in named:
        if name.startswith(OBJECT_PREFIX):
            yield place.problem(
                f"{subject}: it would be '{name}', and clusterlab names its own objects {OBJECT_PREFIX}...",
                "Choose another name, also for the stack.",
            )


def _network(stack: Stack, network: Network) -> Iterator[Problem]:
    name = stack.scoped(network)
    subject = f"networks.{network.key}"
    if network.external:
        if name == "ingress":
            place = network.name.place if network.name else network.place
            yield place.problem(f"{subject}: services cannot be put on the network ingress", "Publish a port instead.")
        return
    if not _DNS_NAME.fullmatch(name) or len(name) > _LONGEST_NETWORK:
        place = network.name.place if network.name else network.place
        yield place.problem(
            f"{subject}: the network would be '{name}': only letters, digits, - and _, at most {_LONGEST_NETWORK}"
        )
    if network.driver and network.driver.value in _LOCAL:
        yield network.driver.place.problem(
            f"{subject}.driver: services cannot be put on a network of the driver {network.driver.written}",
            "Use overlay, or leave driver out.",
        )
    for subnet in network.subnets:
        if problem := _subnet(subnet.value):
            yield subnet.place.problem(f"{subject}.ipam: {subnet.written} {problem}")


def _subnet(text: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return "is not a subnet such as 10.20.0.0/24"
    if "/" not in text:
        return "needs the length of its prefix, such as /24"
    return "" if text.partition("/")[0] == str(network.network_address) else f"has host bits: it should be {network}"


def _volume(stack: Stack, volume: Volume) -> Iterator[Problem]:
    name = stack.scoped(volume)
    if "{{" not in name and not _VOLUME_NAME.fullmatch(name):
        place = volume.name.place if volume.name else volume.place
        yield place.problem(f"volumes.{volume.key}: '{name}' is not a name for a volume: letters, digits and _.- alone")


def _files(stack: Stack, kind: str, objects: Mapping[str, FileObject]) -> Iterator[Problem]:
    names: dict[str, Place] = {}
    for each in objects.values():
        name, place = stack.scoped(each), each.name.place if each.name else each.place
        if not each.external and (len(name) > _LONGEST_FILE or not _FILE_NAME.fullmatch(name)):
            yield place.problem(
                f"{kind}.{each.key}: it would be '{name}': letters, digits and -_. inside are possible, "
                f"at most {_LONGEST_FILE} characters"
            )
        if not each.external and name in names:
            yield place.problem(f"{kind}.{each.key}: '{name}' is also the name of another one of the stack")
        names[name] = place

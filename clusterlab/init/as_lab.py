"""The hosts of a cluster as virtual machines: which they would be, and at which addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

from clusterlab.model.addresses import is_ipv4

from .found import Found, FoundHost, host_name

SUBNET = IPv4Network("192.168.98.0/24")
"""Where hosts of several networks are in a lab, as its machines have one LAN."""
ENGINES = {"bookworm": (20, 10), "trixie": (26, 1)}
"""The engines of Debian's stable releases."""


def as_lab(found: Found) -> Found:
    """The same hosts in one network, with a host for each file server.

    File servers of NFS volumes that are none of the hosts become hosts, at their own addresses where these are in the
    network. Services are left out: the lab has none until their stacks are deployed.
    """
    subnet = found.subnet or SUBNET
    hosts = found.hosts if found.subnet else _moved(found.hosts, subnet)
    now = {before.address: after.address for before, after in zip(found.hosts, hosts, strict=True)}
    taken = {host.address for host in hosts}
    servers: dict[str, str] = {}
    for server in found.servers:
        inside = is_ipv4(server) and IPv4Address(server) in subnet
        servers[server] = now.get(server) or (server if inside else next(_free(subnet, taken)))
        taken.add(servers[server])
    serving = [replace(host, roles=_with_nfs(host, servers.values())) for host in hosts]
    added: list[FoundHost] = []
    for server, address in servers.items():
        if server not in now:
            known = {host.name for host in (*hosts, *added)}
            added.append(FoundHost(host_name("nas", known), address, ("nfs_server",)))
    return replace(
        found,
        lab=f"{found.lab}-lab",
        hosts=(*added, *(replace(host, ssh=()) for host in serving)),
        ssh=(),
        nfs=tuple(replace(mount, server=servers[mount.server]) for mount in found.nfs),
        services=(),
    )


def _with_nfs(host: FoundHost, servers: Iterable[str]) -> tuple[str, ...]:
    serves = host.address in servers and "nfs_server" not in host.roles
    return (*host.roles, "nfs_server") if serves else host.roles


def _moved(hosts: tuple[FoundHost, ...], subnet: IPv4Network) -> tuple[FoundHost, ...]:
    first = int(subnet.network_address) + 11
    return tuple(replace(host, address=str(IPv4Address(first + number))) for number, host in enumerate(hosts))


def _free(subnet: IPv4Network, taken: set[str]) -> Iterator[str]:
    return (address for each in subnet.hosts() if (address := str(each)) not in taken)


def release(hosts: Iterable[FoundHost], engines: Mapping[str, tuple[int, int]] = ENGINES) -> str:
    """The release of Debian whose engine is nearest to the newest of the hosts; empty when none is known."""
    known = [host.engine for host in hosts if host.engine]
    if not known:
        return ""
    major, minor = max(known)
    return min(engines, key=lambda name: (abs(engines[name][0] - major), abs(engines[name][1] - minor)))

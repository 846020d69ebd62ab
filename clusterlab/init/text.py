"""What was found, as the files that a person goes on with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address

from clusterlab.machines.kinds import DEFAULT, EXISTING
from clusterlab.model.addresses import is_ipv4

from .found import Found, FoundHost, host_name

_IMAGES = "images:                           # the names that plays use: {build: ...}, {pull: ...} or {archive: ...}"


def inventory(found: Found, as_lab: bool) -> str:
    """The inventory of the machines, or with `as_lab` of virtual machines like them."""
    lines = _lab(found) if as_lab else _existing(found)
    return "\n".join(lines) + "\n"


def _existing(found: Found) -> Iterator[str]:
    yield f"# Read from {found.source}. clusterlab never creates or removes these machines."
    yield f"lab: {found.lab}"
    yield f"machines: {EXISTING.name}"
    if found.subnet:
        yield f"network: {{subnet: {found.subnet}}}"
    if found.ssh:
        yield f"ssh: {_mapping(dict(found.ssh))}"
    yield ""
    yield "hosts:"
    for host in found.hosts:
        yield from _host(host, ssh=True)
    yield ""
    yield from _seen(found)
    yield "# allow_actions: true             # checks may stop, restart, scale and drain what the lab created"
    yield ""
    yield _IMAGES
    yield "  shell: {build: busybox}"


def _lab(found: Found) -> Iterator[str]:
    yield f"# Virtual machines like those of {found.source}: the same hosts, roles and addresses."
    yield f"lab: {found.lab}-lab"
    yield f"machines: {DEFAULT.name}"
    subnet = found.subnet
    own = {} if subnet else _addresses(found)
    yield f"network: {{subnet: {subnet or '192.168.98.0/24'}}}"
    if not subnet:
        yield "# The hosts are in several networks; here they have addresses of one."
    yield ""
    yield "hosts:"
    names = {host.name for host in found.hosts}
    serving = _server(found)
    if serving and not any("nfs_server" in host.roles or host.address in found.servers for host in found.hosts):
        yield from _host(FoundHost(host_name("nas", names), serving, ("nfs_server",)), ssh=False)
    for host in found.hosts:
        roles = (*host.roles, "nfs_server") if host.address in found.servers else host.roles
        yield from _host(
            FoundHost(host.name, own.get(host.name, host.address), roles, host.availability, notes=host.notes),
            ssh=False,
        )
    yield ""
    paths = sorted({mount.path for mount in found.nfs})
    if paths:
        yield "nfs:"
        yield "  exports:"
        for path in paths:
            yield f'    - {{path: {path}, clients: "${{network.subnet}}", options: [rw, sync, no_subtree_check]}}'
        yield ""
    yield from _seen(found)
    yield _IMAGES
    yield "  shell: {build: busybox}"
    yield ""
    yield from _settings()


def _settings() -> Iterator[str]:
    """The section of the virtual machines with what people change first, as it is by default."""
    if DEFAULT.settings is not None:
        settings = DEFAULT.settings()
        keys = [key for key in ("memory", "cpus", "release") if DEFAULT.has_setting(key)]
        yield f"{DEFAULT.name}: {_mapping({key: str(getattr(settings, key)) for key in keys})}"


def _server(found: Found) -> str:
    """An address for the file server of a lab: its own when the lab's network has it."""
    if not found.nfs:
        return ""
    subnet = found.subnet
    for server in found.servers:
        if is_ipv4(server) and subnet and IPv4Address(server) in subnet:
            return server
    taken = {host.address for host in found.hosts}
    network = str(subnet.network_address) if subnet else "192.168.98.0"
    return next(
        address for number in range(1, 255) if (address := f"{network.rpartition('.')[0]}.{number}") not in taken
    )


def _addresses(found: Found) -> Mapping[str, str]:
    return {host.name: f"192.168.98.{number}" for number, host in enumerate(found.hosts, 11)}


def _host(host: FoundHost, ssh: bool) -> Iterator[str]:
    keys = {"address": host.address, "roles": f"[{', '.join(host.roles)}]"}
    keys |= {"availability": host.availability} if host.availability != "active" else {}
    keys |= {"ssh": _mapping(dict(host.ssh))} if host.ssh and ssh else {}
    yield f"  {host.name}: {_mapping(keys)}" + (f"  # {host.notes}" if host.notes else "")


def _mapping(keys: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{key}: {value}' for key, value in keys.items())}}}"


def _seen(found: Found) -> Iterator[str]:
    for title, seen in (
        ("networks", found.networks),
        ("NFS volumes", [f"{one.volume}: {one.server}:{one.path}" for one in found.nfs]),
        ("services", [one.name for one in found.services]),
    ):
        if seen:
            yield f"# {title} seen: {', '.join(seen)}"


def play(found: Found) -> str:
    """A first play: statements about what was found, which change nothing."""
    return "\n".join(_play(found)) + "\n"


def _play(found: Found) -> Iterator[str]:
    engines = [host.name for host in found.hosts if "docker" in host.roles]
    names = [host.name for host in found.hosts]
    yield "title: The hosts reach each other, and what runs on them answers"
    yield "checks:"
    yield "  - title: every host answers"
    yield f"    command: {{on: [{', '.join(names)}], run: [uname, -n]}}"
    if engines:
        yield "  - title: every Docker engine has disk space left"
        yield "    command:"
        yield f"      on: [{', '.join(engines)}]"
        yield '      run: "df --output=pcent /var/lib/docker | tail -n 1 | tr -dc 0-9 | xargs test 95 -gt"'
    for first, second in zip(found.hosts, found.hosts[1:], strict=False):
        yield f"  - title: {first.name} reaches {second.name}"
        yield f"    ping: {{on: {first.name}, to: {second.name}}}"
    for server in found.servers if engines else ():
        yield f"  - title: every Docker host reaches the file server {server}"
        yield f"    port: {{on: [{', '.join(engines)}], to: {server}, port: 2049}}"
    for service in found.services if engines else ():
        for port in service.ports:
            yield f"  - title: the service {service.name} answers on port {port} of {engines[0]}"
            yield f"    port: {{on: [{', '.join(engines)}], to: {engines[0]}, port: {port}}}"

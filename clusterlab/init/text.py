"""What was found, as the files that a person goes on with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from clusterlab.machines.kinds import DEFAULT, EXISTING

from . import as_lab as lab
from .found import Found, FoundHost, FoundNetwork, NfsMount

_IMAGES = "images:                           # the names that plays use: {build: ...}, {pull: ...} or {archive: ...}"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*|\d{1,3}(\.\d{1,3}){3}(/\d+)?")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def inventory(found: Found, as_lab: bool) -> str:
    """The inventory of the machines, or with `as_lab` of virtual machines like them."""
    lines = _lab(found) if as_lab else _existing(found)
    return "\n".join(lines) + "\n"


def _existing(found: Found) -> Iterator[str]:
    yield f"# Read from {_one_line(found.source)}. clusterlab never creates or removes these machines."
    yield f"lab: {found.lab}"
    yield f"machines: {EXISTING.name}"
    if found.subnet:
        yield f"network: {{subnet: {found.subnet}}}"
    if found.ssh:
        yield f"ssh: {_mapping(dict(found.ssh))}"
    yield from _swarm(found)
    yield ""
    yield "hosts:"
    for host in found.hosts:
        yield _host(host)
    yield ""
    yield from _seen(found)
    if found.engine:
        yield f"# daemon.json of the host that was read: {_one_line(_value(dict(found.engine)))}"
    yield "# allow_actions: true             # checks may stop, restart, scale and drain what the lab created"
    yield ""
    yield _IMAGES
    yield "  shell: {build: busybox}"


def _lab(found: Found) -> Iterator[str]:
    same = lab.as_lab(found)
    yield f"# Virtual machines like those of {_one_line(found.source)}: the same hosts, roles, labels and addresses."
    yield f"lab: {same.lab}"
    yield f"machines: {DEFAULT.name}"
    yield f"network: {{subnet: {same.subnet or lab.SUBNET}}}"
    if not found.subnet:
        yield "# The hosts are in several networks; here they have addresses of one."
    yield from _swarm(same)
    if same.engine:
        yield "# Keys of daemon.json of the host that was read; those of other hosts may differ."
        yield f"engine: {_value(dict(same.engine))}"
    yield ""
    yield "hosts:"
    for host in same.hosts:
        yield _host(host)
    yield ""
    paths = sorted({mount.path for mount in same.nfs})
    if paths:
        yield "nfs:"
        yield "  exports:"
        for path in paths:
            options = "[rw, sync, no_subtree_check]"
            yield f'    - {{path: {_value(path)}, clients: "${{network.subnet}}", options: {options}}}'
        yield ""
    yield from _seen(found)
    yield _IMAGES
    yield "  shell: {build: busybox}"
    yield ""
    yield from _settings(same)


def _settings(found: Found) -> Iterator[str]:
    """The section of the virtual machines with what people change first."""
    if DEFAULT.settings is not None:
        settings = DEFAULT.settings()
        keys = [key for key in ("memory", "cpus", "release") if DEFAULT.has_setting(key)]
        values: dict[str, object] = {key: getattr(settings, key) for key in keys}
        if "release" in values and (release := lab.release(found.hosts)):
            values["release"] = release
            engines = ", ".join(f"{name} {'.'.join(map(str, one))}" for name, one in lab.ENGINES.items())
            yield f"# The engine comes with the release of Debian, here the nearest: {engines}, and newer in testing."
        yield f"{DEFAULT.name}: {_mapping(values)}"


def _swarm(found: Found) -> Iterator[str]:
    if found.swarm:
        yield f"swarm: {_mapping(dict(found.swarm))}"


def _host(host: FoundHost) -> str:
    keys: dict[str, object] = {"address": host.address, "roles": list(host.roles)}
    keys |= {"availability": host.availability} if host.availability != "active" else {}
    keys |= {"labels": dict(host.labels)} if host.labels else {}
    ssh = {key: int(value) if key == "port" and value.isdecimal() else value for key, value in host.ssh}
    keys |= {"ssh": ssh} if ssh else {}
    return f"  {host.name}: {_mapping(keys)}" + (f"  # {_one_line(host.notes)}" if host.notes else "")


def _mapping(keys: Mapping[str, object]) -> str:
    return f"{{{', '.join(f'{_value(key)}: {_value(value)}' for key, value in keys.items())}}}"


def _value(value: object) -> str:
    """A value in YAML's flow style; text that could be read as something else is quoted, and never interpolated."""
    if isinstance(value, dict):
        return _mapping(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
        return value if plain else json.dumps(value.replace("${", "$${"))
    return json.dumps(value)


def _one_line(text: str) -> str:
    """Text for a comment: what others wrote does not end it."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _seen(found: Found) -> Iterator[str]:
    networks = [" ".join([one.name, f"({one.driver})", *one.subnets]) for one in found.networks]
    for title, seen in (
        ("networks", networks),
        ("NFS volumes", [f"{one.volume}: {one.server}:{one.path}" for one in found.nfs]),
        ("services", [one.name for one in found.services]),
    ):
        if seen:
            yield f"# {title} seen: {_one_line(', '.join(seen))}"


def play(found: Found, as_lab: bool = False) -> str:
    """A first play: statements about what was found, which change nothing.

    With `as_lab` also the networks and NFS volumes that no stack would create.
    """
    return "\n".join(_play(lab.as_lab(found), True) if as_lab else _play(found, False)) + "\n"


def _play(found: Found, creates: bool) -> Iterator[str]:
    engines = [host.name for host in found.hosts if "docker" in host.roles]
    names = [host.name for host in found.hosts]
    yield "title: The hosts reach each other, and what runs on them answers"
    if creates:
        yield from _objects(found)
    yield "checks:"
    yield "  - title: every host answers"
    yield f"    command: {{on: {_value(names)}, run: [uname, -n]}}"
    if engines:
        yield "  - title: every Docker engine has disk space left"
        yield "    command:"
        yield f"      on: {_value(engines)}"
        yield '      run: "df --output=pcent /var/lib/docker | tail -n 1 | tr -dc 0-9 | xargs test 95 -gt"'
    for first, second in zip(found.hosts, found.hosts[1:], strict=False):
        yield f"  - title: {first.name} reaches {second.name}"
        yield f"    ping: {{on: {first.name}, to: {second.name}}}"
    known = {host.address: host.name for host in found.hosts}
    for server in (known.get(one, one) for one in found.servers if engines):
        yield f"  - title: {_value(f'every Docker host reaches the file server {server}')}"
        yield f"    port: {{on: {_value(engines)}, to: {_value(server)}, port: 2049}}"
    for service in found.services if engines else ():
        for port in service.ports:
            yield f"  - title: {_value(f'the service {service.name} answers on port {port} of {engines[0]}')}"
            yield f"    port: {{on: {_value(engines)}, to: {engines[0]}, port: {port}}}"


def _objects(found: Found) -> Iterator[str]:
    networks = [one for one in found.networks if one.driver == "overlay" and not one.stack]
    if networks:
        yield "networks:"
        for network in networks:
            yield f"  {_value(network.name)}: {_mapping(_network(network))}"
    mounts = [one for one in found.nfs if not one.stack]
    if mounts:
        names = {host.address: host.name for host in found.hosts}
        yield "volumes:"
        for mount in mounts:
            yield f"  {_value(mount.volume)}: {{driver_opts: {_mount(mount, names[mount.server])}}}"


def _network(network: FoundNetwork) -> dict[str, object]:
    keys: dict[str, object] = {"driver": network.driver}
    keys |= {"attachable": True} if network.attachable else {}
    keys |= {"internal": True} if network.internal else {}
    keys |= {"driver_opts": dict(network.options)} if network.options else {}
    if network.chosen and network.subnets:
        keys["ipam"] = {"config": [{"subnet": subnet} for subnet in network.subnets]}
    return keys


def _mount(mount: NfsMount, server: str) -> str:
    """The options of a volume; the address is that of the lab's file server, whichever it has."""
    others = json.dumps(mount.options.replace("${", "$${"))[1:-1]
    options = ",".join([f"addr=${{hosts.{server}.address}}", *([others] if others else [])])
    return f'{{type: {_value(mount.type)}, o: "{options}", device: {_value(f":{mount.path}")}}}'

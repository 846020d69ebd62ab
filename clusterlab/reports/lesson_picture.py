"""The picture of a play in a terminal.

Hosts and containers below each other, networks and volumes beside them.

Each network and each volume is a column: a line from dot to dot, which is broken between hosts when each host has one
of its own. It is readable without colour, and 80 columns wide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from clusterlab.model import Lab
from clusterlab.model.long_forms import LongPort
from clusterlab.model.playbook import Container, Network, Play, Service, Volume
from clusterlab.model.short_syntax import parse_mount, parse_port

WIDTH = 80
_ON, _SERVES, _MADE = "●", "◆", "○"
LEGEND = f"{_ON} uses it   {_SERVES} serves it   {_MADE} has it, and no container uses it there"
_NFS = ("nfs", "nfs4")


@dataclass
class _Column:
    """A network or volume, and in which rows it has which mark."""

    title: str
    shared: bool  # one for all hosts
    marks: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Row:
    """A host, container or service; `host` is where it is, "" for a service."""

    text: str
    host: str
    name: str

    @property
    def is_host(self) -> bool:
        return self.name == self.host


def draw(lab: Lab, play: Play) -> list[str]:
    """The lines of the picture, and the legend where it is needed."""
    rows = list(_rows(lab, play))
    columns = [_network(lab, play, name, one, rows) for name, one in play.networks.items()]
    columns += [_volume(lab, play, name, one, rows) for name, one in play.volumes.items()]
    columns = [column for column in columns if column.marks]
    longest = max(len(text) + 1 for text in [*(row.text for row in rows), *(column.title for column in columns)])
    left = min(longest + 1, WIDTH - 2 * len(columns) - 1)
    lines = [_head(columns, index, left) for index in reversed(range(len(columns)))]
    for number, row in enumerate(rows):
        cells = "".join(f" {_cell(column, number, rows)}" for column in columns)
        lines.append(f"{_fitted(row.text, left)}{cells}".rstrip())
    return [*lines, *(["", LEGEND] if columns else [])]


def _rows(lab: Lab, play: Play) -> Iterator[_Row]:
    for host, one in lab.inventory.hosts.items():
        yield _Row(f"{host}  {one.address}  {', '.join(one.roles)}".rstrip(), host, host)
        names = [name for name, container in play.containers.items() if container.host == host]
        for name in names:
            branch = "└─" if name == names[-1] else "├─"
            yield _Row(f"{branch} {name}  {_detail(play.containers[name])}", host, name)
    for name, service in play.services.items():
        number = "on every node" if service.deploy.mode.startswith("global") else f"× {service.deploy.replicas}"
        ports = "".join(f"  {_port(text)}" for text in service.ports)
        yield _Row(f"Swarm  service {name}  {service.image} {number}{ports}", "", name)


def _detail(container: Container) -> str:
    """What is not drawn: the image, ports, and mounts that have no name."""
    parts = [container.image]
    parts += [f"network {container.network_mode}"] if container.network_mode else []
    parts += [_port(text) for text in container.ports]
    for mount in map(parse_mount, container.volumes):
        if mount.type != "volume":
            parts.append(f"{mount.source or 'a volume'} on {mount.target}")
    parts += [f"volumes of {name}" for name in container.volumes_from]
    return "  ".join(parts)


def _port(text: str | int | LongPort) -> str:
    port = parse_port(text)
    where = f"{port.address}:" if port.address else ":"
    return f"{where}{port.host_port or 'auto'}→{port.port}"


def _network(lab: Lab, play: Play, name: str, network: Network, rows: list[_Row]) -> _Column:
    overlay = network.driver == "overlay"
    column = _Column(f"network {name} ({'encrypted ' if network.encrypted else ''}{network.driver})", overlay)
    joined = {key for key, one in _users(play).items() if name in one.networks}
    return _marked(column, joined, [] if overlay else lab.expand(network.hosts), rows)


def _volume(lab: Lab, play: Play, name: str, volume: Volume, rows: list[_Row]) -> _Column:
    kind = str(volume.driver_opts.get("type", "")) or volume.driver
    column = _Column(f"volume {name} ({kind} {volume.driver_opts.get('device', '')}".rstrip() + ")", kind in _NFS)
    users = {
        key
        for key, one in _users(play).items()
        if name in [mount.source for mount in map(parse_mount, one.volumes) if mount.type == "volume"]
    }
    _marked(column, users, lab.expand(volume.hosts), rows)
    address = re.search(r"addr=([^,]+)", str(volume.driver_opts.get("o", "")))
    if kind in _NFS and address:
        server = {str(host.address): key for key, host in lab.inventory.hosts.items()}.get(address[1], address[1])
        column.marks |= {number: _SERVES for number, row in enumerate(rows) if row.is_host and row.name == server}
    return column


def _users(play: Play) -> dict[str, Container | Service]:
    return {**play.containers, **play.services}


def _marked(column: _Column, users: set[str], hosts: list[str], rows: list[_Row]) -> _Column:
    """A mark for each user, and for each host that has it, where nobody uses it."""
    for number, row in enumerate(rows):
        if row.name in users and not row.is_host:
            column.marks[number] = _ON
    used = {rows[number].host for number in column.marks}
    for number, row in enumerate(rows):
        if row.host in hosts and row.host not in used and row.is_host:
            column.marks[number] = _MADE
    return column


def _head(columns: list[_Column], index: int, left: int) -> str:
    """The title of a column, with an arm to it; the columns to its right pass by."""
    title = _fitted(columns[index].title, left - 2).rstrip()
    passing = " │" * (len(columns) - index - 1)
    return f"{title} {'─' * (left - len(title) + 2 * index)}┐{passing}"


def _cell(column: _Column, number: int, rows: list[_Row]) -> str:
    if number in column.marks:
        return column.marks[number]
    last = max(column.marks)
    if column.shared:
        return "│" if number < last else " "
    of_host = [at for at in column.marks if rows[at].host == rows[number].host]
    later = bool(of_host) and number < max(of_host)
    return "│" if number < min(column.marks) or later else " "


def _fitted(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else text[: width - 1] + "…"

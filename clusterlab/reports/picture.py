"""The picture of a lab: where each thing of it is drawn.

Hosts and their containers stand one below the other, so that it fits a phone and any number of hosts; the services of
the Swarm follow, as no host has them for good. Each network and each volume is a vertical line with a dot at every
container and service that is on it; who reaches whom is drawn as arcs on the right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from clusterlab.model import Lab
from clusterlab.model.long_forms import LongMount
from clusterlab.model.playbook import Deploy, Play, Volume
from clusterlab.model.short_syntax import parse_mount
from clusterlab.reports.drawn import DrawnContainer, DrawnHost, DrawnService, DrawnShared, Picture
from clusterlab.results import Link

_ROW = 28  # all measures are in pixels
_INDENT = 24
_BOLD = 7.4
_COLUMN = 26
_LETTER = 6.6
_ARC_LEAST = 44
_ARC_STEP = 18
_ARC_MOST = 300
_NFS = ("nfs", "nfs4")
_SWARM = "the Swarm"  # no place has a name with a blank in it


def picture_of(lab: Lab) -> Picture:
    """What the inventory and the plays say there is."""
    hosts = [DrawnHost(name, str(host.address), list(host.roles)) for name, host in lab.inventory.hosts.items()]
    containers = [
        DrawnContainer(name, container.host, container.image, _joins(container.volumes, play, container.networks))
        for play in lab.plays.values()
        for name, container in play.containers.items()
    ]
    services = [
        DrawnService(name, service.image, _tasks(service.deploy), _joins(service.volumes, play, service.networks))
        for play in lab.plays.values()
        for name, service in play.services.items()
    ]
    shared: dict[str, DrawnShared] = {}
    for play in lab.plays.values():
        for name, network in play.networks.items():
            shared.setdefault(name, DrawnShared(name, "network", network.driver))
        for name, volume in play.volumes.items():
            shared.setdefault(name, _volume(name, volume, hosts))
    return Picture(hosts, containers, services, list(shared.values()))


def _tasks(deploy: Deploy) -> str:
    return "one per node" if deploy.mode.startswith("global") else str(deploy.replicas)


def _joins(volumes: Sequence[str | LongMount], play: Play, networks: object) -> list[str]:
    mounted = [mount.source for mount in map(parse_mount, volumes)]
    joined = list(networks) if isinstance(networks, dict) else []
    return [*joined, *(name for name in mounted if name in play.volumes)]


def _volume(name: str, volume: Volume, hosts: Sequence[DrawnHost]) -> DrawnShared:
    kind = str(volume.driver_opts.get("type", ""))
    address = re.search(r"addr=([^,]+)", str(volume.driver_opts.get("o", "")))
    places = {name: host.name for host in hosts for name in (host.address, host.name)}
    server = places.get(address[1], "") if address and kind in _NFS else ""
    return DrawnShared(name, "volume", kind or volume.driver, server)


Kind = Literal["host", "container", "swarm", "service"]


@dataclass(frozen=True)
class Row:
    """One thing with a place of its own; `y` is its middle."""

    name: str
    y: int
    kind: Kind
    text: str
    detail: str

    @property
    def is_head(self) -> bool:
        """Whether what follows belongs to it."""
        return self.kind in ("host", "swarm")


@dataclass(frozen=True)
class Line:
    """A network or volume: from its first dot to its last.

    `anchor` is the dot of the host that serves it.
    """

    name: str
    kind: str
    title: str
    x: int
    top: int
    bottom: int
    dots: list[int]
    anchor: int | None


Verdict = Literal["good", "apart", "bad", "unknown"]


@dataclass(frozen=True)
class Arc:
    """Who reaches whom.

    `path` is an SVG path, `mark_x` and `mark_y` where its mark stands.
    """

    path: str
    verdict: Verdict
    mark_x: float
    mark_y: float
    mark: str
    title: str


@dataclass(frozen=True)
class Drawing:
    width: int
    height: int
    head: int
    arcs_x: int
    rows: list[Row]
    lines: list[Line]
    arcs: list[Arc]
    indent: int = _INDENT

    @property
    def summary(self) -> str:
        """The picture in words, for those who do not see it."""
        bad = [arc.title for arc in self.arcs if arc.verdict in ("bad", "unknown")]
        counts = Counter(row.kind for row in self.rows)
        parts = [f"{counts['host']} hosts with {counts['container']} containers"]
        parts += [f"{counts['service']} services"] if counts["service"] else []
        said = ", ".join([*parts, f"{len(self.lines)} networks and volumes"])
        return (
            f"{said}. Not as expected: {'; '.join(bad)}."
            if bad
            else f"{said}. Everything that was checked is as expected."
        )


def draw(picture: Picture, found: Sequence[Link]) -> Drawing:
    """Give everything its place."""
    longest = max((len(_title(item)) for item in picture.shared), default=0)
    head = 20 + int(longest * _LETTER * 0.8)
    rows = _rows(picture, head)
    heights = _heights(rows)
    names = max((_width(row) for row in rows), default=0)
    lines = _lines(picture, heights, names)
    arcs_x = names + len(lines) * _COLUMN + 16
    arcs = _arcs(found, heights, arcs_x)
    # The slanted titles of the columns lean to the right, so the picture is wide enough for the last one.
    most = max((arc.mark_x for arc in arcs), default=arcs_x)
    width = max(int(most) + 24, names + len(lines) * _COLUMN + int(longest * _LETTER * 0.65) + 30)
    return Drawing(width, head + len(rows) * _ROW + 16, head, arcs_x, rows, lines, arcs)


def _rows(picture: Picture, head: int) -> list[Row]:
    rows: list[Row] = []

    def add(kind: Kind, name: str, text: str, detail: str) -> None:
        rows.append(Row(name, head + len(rows) * _ROW + _ROW // 2, kind, text, detail))

    for host in picture.hosts:
        add("host", host.name, f"{host.name} {host.address}", ", ".join(host.roles))
        for container in picture.containers:
            if container.host == host.name:
                detail = f"container of image {container.image} on {host.name}"
                add("container", container.name, container.name, detail)
    if picture.services:
        add("swarm", _SWARM, "services of the Swarm", "their tasks run where the Swarm puts them")
    for service in picture.services:
        detail = f"service of image {service.image}, tasks: {service.tasks}"
        add("service", _service(service.name), f"{service.name} × {service.tasks}", detail)
    return rows


def _service(name: str) -> str:
    """What a service is called beside containers, which may have the same name."""
    return f"service {name}"


def _heights(rows: Sequence[Row]) -> dict[str, int]:
    """Where each thing is that can be reached.

    A service by its bare name too, unless that is another's.
    """
    bare = {row.name.removeprefix(_service("")): row.y for row in rows}
    return bare | {row.name: row.y for row in rows}


def _width(row: Row) -> int:
    """Where the text of a row ends, with room for what follows."""
    text = len(row.text) * _BOLD if row.is_head else _INDENT + len(row.text) * _LETTER
    return int(text) + 20


def _title(shared: DrawnShared) -> str:
    return f"{shared.name} ({shared.detail})"


def _lines(picture: Picture, heights: dict[str, int], left: int) -> list[Line]:
    lines: list[Line] = []
    for shared in picture.shared:
        joined = [item.name for item in picture.containers if shared.name in item.joins]
        joined += [_service(item.name) for item in picture.services if shared.name in item.joins]
        dots = [heights[name] for name in joined if name in heights]
        anchor = heights.get(shared.served_by)
        ends = [*dots, *([anchor] if anchor is not None else [])]
        if ends:
            x = left + len(lines) * _COLUMN + 10
            lines.append(Line(shared.name, shared.kind, _title(shared), x, min(ends), max(ends), dots, anchor))
    return lines


_VERDICTS: dict[tuple[bool, bool | None], tuple[Verdict, str]] = {
    (True, True): ("good", ""),
    (False, False): ("apart", "⊘"),
    (True, False): ("bad", "✘"),
    (False, True): ("bad", "!"),
    (True, None): ("unknown", "?"),
    (False, None): ("unknown", "?"),
}
_WORST = ["apart", "good", "unknown", "bad"]


def _arcs(found: Sequence[Link], heights: dict[str, int], x: int) -> list[Arc]:
    """One arc per pair of places that are drawn: the worst of its links.

    What is not as wanted lies over the rest.
    """
    pairs: dict[tuple[str, str], list[Link]] = {}
    for link in found:
        if link.source in heights and link.target in heights and link.source != link.target:
            pairs.setdefault((link.source, link.target), []).append(link)
    # The further apart two places are, the further out their arc: so none hides another.
    inside_out = sorted(pairs, key=lambda pair: (abs(heights[pair[0]] - heights[pair[1]]), pair))
    step = min(_ARC_STEP, (_ARC_MOST - _ARC_LEAST) / max(1, len(pairs)))
    arcs = [
        _arc(pairs[start, end], heights[start], heights[end], x, _ARC_LEAST + step * index)
        for index, (start, end) in enumerate(inside_out)
    ]
    return sorted(arcs, key=lambda arc: _WORST.index(arc.verdict))


def _arc(of_pair: Sequence[Link], y1: int, y2: int, x: int, reach: float) -> Arc:
    worst = max(of_pair, key=lambda link: _WORST.index(_VERDICTS[link.wanted, link.seen][0]))
    verdict, mark = _VERDICTS[worst.wanted, worst.seen]
    shift = 3 if y1 < y2 else -3  # there and back do not begin and end in the same point
    path = f"M{x},{y1 + shift} C{x + reach:.0f},{y1 + shift} {x + reach:.0f},{y2 + shift} {x + 5},{y2 + shift}"
    how = ", ".join(dict.fromkeys(link.how for link in of_pair))
    title = f"{worst.source} → {worst.target} ({how}): {_words(worst)}"
    return Arc(path, verdict, x + reach * 0.75, (y1 + y2) / 2 + shift, mark, title)


def _words(link: Link) -> str:
    if link.seen is None:
        return f"could not be checked: {link.found}"
    seen = "reached" if link.seen else f"not reached: {link.found}"
    if not link.differs:
        return "reached" if link.wanted else "kept apart, as expected"
    return f"{seen}, expected {'reached' if link.wanted else 'kept apart'}"

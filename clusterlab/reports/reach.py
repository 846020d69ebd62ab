"""Who reaches whom: what the evidence of ping, http, port and shared_file says, as links between places.

It is read from the words of the evidence, so that a report can be made of a kept run alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from clusterlab.results import Evidence, Outcome, Result

_APART = "must not be: "
_CONTROL = "control: "
_PING = re.compile(r"(?P<target>.+) answers \d+ of \d+ pings(?: of (?P<size>\d+) bytes)?")
_PORT = re.compile(r"port (?P<port>\d+|\(published for port \d+ of \S+\)) of (?P<target>.+) is open")
_HTTP = re.compile(r"(?P<url>https?://\S+) answers")
_FILE_TABLE = "writer \\ reader"


@dataclass(frozen=True)
class Link:
    """One thing that is reached, or is not, from one place. `seen` is None when it could not be asked."""

    start: str
    end: str  # the place that is reached
    how: str  # "ping", "1422 bytes", "port 80", "http 80", "file"
    wanted: bool
    seen: bool | None
    found: str
    play: str
    check: str

    @property
    def differs(self) -> bool:
        return self.seen is not self.wanted

    @property
    def target(self) -> str:
        return f"{self.end} ({self.how})"


def links(results: Sequence[Result], names: Mapping[str, str]) -> list[Link]:
    """All links that the results tell of; `names` gives the host of each address."""
    return [link for result in results for evidence in result.evidence for link in _links_of(result, evidence, names)]


def _links_of(result: Result, evidence: Evidence, names: Mapping[str, str]) -> Iterator[Link]:
    if evidence.output.startswith(_FILE_TABLE):
        yield from _file_links(result, evidence.output)
        return
    if result.outcome is Outcome.FLAKY and not evidence.holds:
        return  # the same was asked again at once, and held
    wanted = not evidence.wanted.startswith(_APART)
    target = _target(evidence.wanted.removeprefix(_APART).removeprefix(_CONTROL))
    if target is None or not evidence.place:
        return
    end, how = target
    seen: bool | None = wanted if evidence.holds else not wanted
    if not evidence.holds and result.outcome is Outcome.ERROR:
        seen = None
    yield Link(_place(evidence.place), names.get(end, end), how, wanted, seen, evidence.found, *_of(result))


def _file_links(result: Result, table: str) -> Iterator[Link]:
    """A table of writers and readers, its columns two or more spaces apart."""
    header, *rows = [re.split(r" {2,}", line.strip()) for line in table.splitlines()]
    for writer, *cells in rows:
        for reader, cell in zip(header[1:], cells, strict=False):
            if reader != writer:
                yield Link(writer, reader, "file", True, cell == "ok", cell, *_of(result))


def _target(words: str) -> tuple[str, str] | None:
    if match := _PING.match(words):
        # A packet that is too long for the way does not mean that the two are kept apart.
        return _bare(match["target"]), f"{match['size']} bytes" if match["size"] else "ping"
    if match := _PORT.match(words):
        return _bare(match["target"]), f"port {match['port'].strip('()')}"
    if match := _HTTP.match(words):
        url = urlsplit(match["url"])
        port = url.port or (443 if url.scheme == "https" else 80)
        return url.hostname or match["url"], f"http {port}"
    return None


def _bare(target: str) -> str:
    """A container's address is told as "beta on network shared_net"."""
    return target.partition(" on network ")[0]


def _place(place: str) -> str:
    """A container is told as "alpha on host1"; names are one per lab."""
    return place.partition(" on ")[0]


def _of(result: Result) -> tuple[str, str]:
    return result.play, result.check


@dataclass(frozen=True)
class Matrix:
    """Places down, targets across; a cell is the link that differs from what is wanted, if any of them does."""

    starts: list[str]
    targets: list[str]
    cells: dict[tuple[str, str], Link]

    def cell(self, start: str, target: str) -> Link | None:
        return self.cells.get((start, target))


def matrix(found: Sequence[Link]) -> Matrix:
    """The links as a table, in the order in which they were first met.

    Steps may ask the same twice, with a change between: then the last answer counts, unless an earlier one differs.
    """
    cells: dict[tuple[str, str], Link] = {}
    for link in found:
        key = (link.start, link.target)
        if key not in cells or not cells[key].differs:
            cells[key] = link
    starts = dict.fromkeys(link.start for link in found)
    targets = dict.fromkeys(link.target for link in found)
    return Matrix(list(starts), list(targets), cells)

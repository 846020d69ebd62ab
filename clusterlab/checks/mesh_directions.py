"""Where packets are lost between two places, on the way there or back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clusterlab.errors import ClusterlabError
from clusterlab.parallel import parallel
from clusterlab.results import Link

from .finding import Finding
from .mesh_answers import Target
from .place import Place
from .places import Places
from .reached import TIMED_OUT

_SYN_RECEIVED = "03"  # the state of a connection that waits for the last packet of the handshake, see proc_net_tcp


def with_directions(
    port: int, inside: bool, places: Places, targets: Sequence[Target], findings: list[Finding]
) -> list[Finding]:
    """For pairs that timed out.

    Whether the first packet came to the target, which then waits for the handshake's end.

    One more command at each target that somebody did not reach.
    """
    lost = [link for one in findings for link in one.evidence.links if link.seen is False and link.found == TIMED_OUT]
    if not lost:
        return findings
    where = {one.host: Place(one.host, one.name if inside else "") for one in targets}
    asked = list(dict.fromkeys(link.target for link in lost))
    texts = parallel(lambda host: _waiting(places, where[host], port), asked, name="mesh")
    waiting = {host: text for host, text in zip(asked, texts, strict=True) if not isinstance(text, ClusterlabError)}
    addresses = {one.host: one.address for one in targets}

    def explained(link: Link) -> Link:
        if link not in lost or link.target not in waiting or not isinstance(addresses.get(link.source), str):
            return link
        arrived = addresses[link.source] in waiting[link.target]
        way = f"the answer of {link.target} is lost" if arrived else f"nothing arrives at {link.target}"
        return Link(link.source, link.target, link.how, link.wanted, link.seen, f"{TIMED_OUT}: {way}")

    return [_relinked(one, [explained(link) for link in one.evidence.links]) for one in findings]


def _waiting(places: Places, place: Place, port: int) -> set[str]:
    """Source addresses of connections to a port that are begun, not established."""
    argv = ["sh", "-c", "cat /proc/net/tcp /proc/net/tcp6"]
    completed = places.in_network(place, argv, names=False, timeout=20.0)
    found = set()
    for line in completed.stdout.splitlines():
        words = line.split()
        if len(words) > 3 and words[3] == _SYN_RECEIVED and words[1].endswith(f":{port:04X}"):
            packed = bytes.fromhex(words[2].partition(":")[0][-8:])
            found.add(".".join(map(str, reversed(packed))))
    return found


def _relinked(one: Finding, links: Sequence[Link]) -> Finding:
    bad = [link for link in links if link.seen is not True]
    missing = "; ".join(f"{link.target}: {link.found}" for link in bad)
    if not bad or tuple(links) == one.evidence.links:
        return one
    found = f"{len(links) - len(bad)} of {len(links)} others; not {missing}"
    return replace(one, evidence=replace(one.evidence, found=found, links=tuple(links)))
